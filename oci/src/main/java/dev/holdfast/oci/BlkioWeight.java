package dev.holdfast.oci;

/** {@code blkio.weight} of v1, 10 to 1000, as {@code io.weight} of v2, 1 to 10000. */
final class BlkioWeight {
  static final int LEAST = 10;
  static final int GREATEST = 1000;

  private static final long LEAST_IO = 1;
  private static final long SPAN_IO = 9999;

  private BlkioWeight() {}

  /** The straight line between the ends, as container runtimes have it. */
  static long ioWeight(int weight) {
    return LEAST_IO + (weight - LEAST) * SPAN_IO / (GREATEST - LEAST);
  }
}
