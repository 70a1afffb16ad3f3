package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A pid namespace, which the keeper shall make: {@code namespace_request} in {@code
 * native/protocol.h}.
 *
 * @param orders the first process's end of the socket that it takes orders from
 */
record NamespaceRequest(Descriptor orders) {
  private static final int MAGIC = 0x31464b48;
  private static final int KIND_NAMESPACE = 5;

  void send(Socket socket, int status) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(8, 8);
      message.set(ValueLayout.JAVA_INT, 0, MAGIC);
      message.set(ValueLayout.JAVA_INT, 4, KIND_NAMESPACE);
      socket.send(message, new int[] {status, orders.number()});
    }
  }
}
