package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Children in no group, which the keeper shall end when we are gone, or let go: {@code
 * hold_request} in {@code native/protocol.h}.
 */
record HoldRequest(boolean hold, List<Held> children) {
  private static final int MAGIC = 0x31464b48;
  private static final int KIND_HOLD = 3;
  private static final int KIND_LET_GO = 4;
  private static final int HEADER = 16;
  private static final int ENTRY = 16;

  /** How many the keeper takes at once. */
  static final int MOST = 1024;

  void send(Socket socket, int status) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(HEADER + (long) ENTRY * children.size(), 8);
      message.set(ValueLayout.JAVA_INT, 0, MAGIC);
      message.set(ValueLayout.JAVA_INT, 4, hold ? KIND_HOLD : KIND_LET_GO);
      message.set(ValueLayout.JAVA_INT, 8, children.size());
      long at = HEADER;
      for (Held child : children) {
        message.set(ValueLayout.JAVA_INT, at, child.pid());
        message.set(ValueLayout.JAVA_INT, at + 4, child.kind().code);
        message.set(ValueLayout.JAVA_LONG, at + 8, child.startTicks());
        at += ENTRY;
      }
      socket.send(message, new int[] {status});
    }
  }
}
