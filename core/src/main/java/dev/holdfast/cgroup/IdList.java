package dev.holdfast.cgroup;

import java.util.BitSet;

/**
 * Processors or memory nodes by their numbers, as the kernel writes them: {@code 0-3,7}.
 *
 * <p>Immutable and thread-safe.
 */
final class IdList {
  /** More than any kernel has. */
  private static final int GREATEST = 65_535;

  private final BitSet ids;

  private IdList(BitSet ids) {
    this.ids = ids;
  }

  /**
   * Reads a list; an empty text is one of none.
   *
   * <pre>
   * [ id [ "-" id ] { "," id [ "-" id ] } ]
   * </pre>
   */
  static IdList parse(String text) {
    BitSet ids = new BitSet();
    if (!text.isEmpty()) {
      for (String range : text.split(",", -1)) {
        int dash = range.indexOf('-');
        int first = id(dash < 0 ? range : range.substring(0, dash), text);
        int last = dash < 0 ? first : id(range.substring(dash + 1), text);
        if (last < first) {
          throw wrong(text);
        }
        ids.set(first, last + 1);
      }
    }
    return new IdList(ids);
  }

  boolean isEmpty() {
    return ids.isEmpty();
  }

  /** Whether all of {@code other} are among these. */
  boolean contains(IdList other) {
    BitSet rest = (BitSet) other.ids.clone();
    rest.andNot(ids);
    return rest.isEmpty();
  }

  /** As short as can be: in their order, neighbours as a range. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int first = ids.nextSetBit(0); first >= 0; ) {
      int end = ids.nextClearBit(first);
      text.append(text.isEmpty() ? "" : ",").append(first);
      if (end - first > 1) {
        text.append('-').append(end - 1);
      }
      first = ids.nextSetBit(end);
    }
    return text.toString();
  }

  private static int id(String digits, String text) {
    long id = ProcText.number(digits);
    if (id < 0 || id > GREATEST) {
      throw wrong(text);
    }
    return (int) id;
  }

  private static IllegalArgumentException wrong(String text) {
    return new IllegalArgumentException("\"" + text + "\" is not a list such as 0-3,7");
  }
}
