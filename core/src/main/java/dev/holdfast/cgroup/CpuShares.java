package dev.holdfast.cgroup;

/**
 * {@code cpu.shares} of v1 as {@code cpu.weight} of v2: a curve through 2 and 1, 1024 and 100,
 * 262144 and 10000, so that the least, the usual and the greatest of either are those of the other.
 * It is the one that container runtimes agreed on in 2025 (opencontainers/cgroups, {@code
 * ConvertCPUSharesToCgroupV2Value}).
 */
final class CpuShares {
  private static final long LEAST = 2;
  private static final long GREATEST = 262_144;
  private static final long LEAST_WEIGHT = 1;
  private static final long GREATEST_WEIGHT = 10_000;

  private CpuShares() {}

  /** A weight as v2 has it, whichever unit it was given in. */
  static LimitValue asWeight(LimitValue value) {
    return value instanceof LimitValue.Shares(long shares)
        ? LimitValue.count(weight(shares))
        : value;
  }

  static long weight(long shares) {
    if (shares <= LEAST) {
      return LEAST_WEIGHT;
    }
    if (shares >= GREATEST) {
      return GREATEST_WEIGHT;
    }
    double log = Math.log((double) shares) / Math.log(2);
    return (long) Math.ceil(Math.pow(10, (log * log + 125 * log) / 612 - 7.0 / 34));
  }

  /** As the v1 kernel bounds them, without a word. */
  static long bounded(long shares) {
    return Math.clamp(shares, LEAST, GREATEST);
  }
}
