package dev.holdfast.cgroup;

import org.jspecify.annotations.Nullable;

/**
 * CPUs as the kernel takes them: so many microseconds of CPU time in each period.
 *
 * @param quota at least 1000, or the kernel says EINVAL; −1 for as much as there is
 * @param period at most 1,000,000
 */
record CpuQuota(long quota, long period) {
  private static final long NONE = -1;
  private static final String LEGACY_NONE = "-1";
  private static final long USUAL_PERIOD = 100_000;
  static final long LONGEST_PERIOD = 1_000_000;
  static final long SHORTEST_PERIOD = 1_000;
  static final long LEAST_QUOTA = 1_000;

  /** Below 0.01 CPUs the period grows, since the quota cannot shrink. */
  static CpuQuota of(double cpus) {
    long quota = Math.round(cpus * USUAL_PERIOD);
    if (quota >= LEAST_QUOTA) {
      return new CpuQuota(quota, USUAL_PERIOD);
    }
    return new CpuQuota(LEAST_QUOTA, Math.min(Math.round(LEAST_QUOTA / cpus), LONGEST_PERIOD));
  }

  /**
   * What {@code value} asks for; null if for as much as there is, in whatever period.
   *
   * @param present the quota that the group has, as either version of the kernel's file shows it
   */
  static @Nullable CpuQuota of(LimitValue value, String present) {
    if (value instanceof LimitValue.Cpus(double cpus)) {
      return of(cpus);
    }
    if (value instanceof LimitValue.Bandwidth(long quota, long period)) {
      return new CpuQuota(
          quota == LimitValue.Bandwidth.SAME_QUOTA
              ? FlatKeyed.number(present.strip().split(" ", 2)[0]).orElse(NONE)
              : quota,
          period);
    }
    return null;
  }

  /** Whether {@code value} depends on the quota that the group has. */
  static boolean keeps(LimitValue value) {
    return value instanceof LimitValue.Bandwidth bandwidth
        && bandwidth.quota() == LimitValue.Bandwidth.SAME_QUOTA;
  }

  LimitValue value() {
    return quota < 0 ? LimitValue.UNLIMITED : LimitValue.cpus((double) quota / period);
  }

  /** As {@code cpu.max} takes it. */
  String text() {
    return (quota < 0 ? "max" : Long.toString(quota)) + " " + period;
  }

  /**
   * {@code cpu.max}: {@code QUOTA PERIOD}, the quota a number or {@code max}, which may be alone.
   */
  static @Nullable LimitValue parse(String text) {
    String[] fields = text.strip().split(" ", -1);
    if (fields[0].equals("max") && fields.length == 1) {
      return LimitValue.UNLIMITED;
    }
    boolean pair = fields.length == 2 && !fields[0].endsWith("\n");
    return pair && !fields[0].equals(LEGACY_NONE)
        ? value(fields[0].equals("max") ? LEGACY_NONE : fields[0], fields[1])
        : null;
  }

  /** As the two files of v1 have it. */
  static @Nullable LimitValue value(String quotaText, String periodText) {
    long quota = FlatKeyed.signed(quotaText).orElse(0);
    long period = FlatKeyed.number(periodText).orElse(0);
    return (quota > 0 || quota == NONE) && period > 0 ? new CpuQuota(quota, period).value() : null;
  }
}
