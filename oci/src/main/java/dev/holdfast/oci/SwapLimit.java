package dev.holdfast.oci;

import java.util.OptionalLong;

/**
 * The limit of swap alone. OCI and v1 limit memory and swap together; v2 and this library limit
 * swap on top of memory.
 */
final class SwapLimit {
  static final long UNLIMITED = -1;

  private SwapLimit() {}

  /**
   * Bytes of swap alone, or {@link #UNLIMITED}; empty if nothing is asked for.
   *
   * @param memory as OCI has it: 0 for unset, −1 for no limit
   * @param together memory and swap, likewise
   */
  static OptionalLong alone(long memory, long together) {
    if (memory < UNLIMITED || together < UNLIMITED) {
      throw new IllegalArgumentException("a size below 0 that is not -1");
    }
    if (together == 0) {
      // Unlimited memory may be swapped out without limit: so it is on v1.
      return memory == UNLIMITED ? OptionalLong.of(UNLIMITED) : OptionalLong.empty();
    }
    if (together == UNLIMITED) {
      return OptionalLong.of(UNLIMITED);
    }
    if (memory <= 0) {
      throw new IllegalArgumentException(
          together
              + " is for memory and swap together, and without a limit of memory it says nothing"
              + " about swap: give memory.limit too");
    }
    if (together < memory) {
      throw new IllegalArgumentException(
          together + " is for memory and swap together, and less than memory.limit, " + memory);
    }
    return OptionalLong.of(together - memory);
  }
}
