package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * What the keeper ends when we are gone: {@code anchor_request} in {@code native/protocol.h}.
 *
 * @param name of the anchor's directory in each hierarchy
 * @param hierarchies the one that holds the membership and the lock first
 */
public record AnchorRequest(String name, List<Hierarchy> hierarchies) {
  private static final int MAGIC = 0x31464b48;
  private static final int KIND_ANCHOR = 2;
  private static final int MAX_HIERARCHIES = 32;
  private static final int NAME_AT = 12 + 4 * MAX_HIERARCHIES;

  /** What a hierarchy is to the keeper. */
  public enum Kind {
    V2(1),
    FREEZER(2),
    OTHER(3),
    /** The anchor's directory is about to be made there; the parent stands for it. */
    LATER(4);

    private final int number;

    Kind(int number) {
      this.number = number;
    }
  }

  /**
   * The anchor in one hierarchy.
   *
   * @param parent the directory that the anchor's lies in
   * @param anchor the anchor's own, which the keeper has to find by its name if it is made later
   */
  public record Hierarchy(Kind kind, Directory parent, Directory anchor) {}

  void send(Socket socket, int status) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(NAME_AT + 256L, 8);
      message.set(ValueLayout.JAVA_INT, 0, MAGIC);
      message.set(ValueLayout.JAVA_INT, 4, KIND_ANCHOR);
      message.set(ValueLayout.JAVA_INT, 8, hierarchies.size());
      int[] descriptors = new int[1 + 2 * hierarchies.size()];
      descriptors[0] = status;
      for (int i = 0; i < hierarchies.size(); i++) {
        Hierarchy hierarchy = hierarchies.get(i);
        message.set(ValueLayout.JAVA_INT, 12 + 4L * i, hierarchy.kind().number);
        descriptors[1 + 2 * i] = hierarchy.parent().descriptor().number();
        descriptors[2 + 2 * i] = hierarchy.anchor().descriptor().number();
      }
      message.setString(NAME_AT, name);
      socket.send(message, descriptors);
    }
  }
}
