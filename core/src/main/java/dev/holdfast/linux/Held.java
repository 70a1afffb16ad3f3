package dev.holdfast.linux;

/**
 * A child that the keeper holds by itself, since no group does.
 *
 * @param kind what is held with it
 * @param startTicks when it started: see {@link ProcessTable.Entry}
 */
public record Held(int pid, Kind kind, long startTicks) {
  /** As {@code hold_kind} in {@code native/protocol.h}. */
  public enum Kind {
    /** It and its descendants. */
    CHILD(0),
    /** Whoever is in the POSIX session that it leads, too, and also after it. */
    SESSION(1),
    /** The first process of a pid namespace, with which the kernel ends all others in it. */
    FIRST(2);

    final int code;

    Kind(int code) {
      this.code = code;
    }
  }
}
