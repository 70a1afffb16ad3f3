package dev.holdfast.cgroup;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * CPUs as the kernel takes them: so many microseconds of CPU time in each period.
 *
 * @param quota at least 1000, or the kernel says EINVAL
 * @param period at most 1,000,000
 */
record CpuQuota(long quota, long period) {
  private static final long USUAL_PERIOD = 100_000;
  private static final long LONGEST_PERIOD = 1_000_000;
  private static final long LEAST_QUOTA = 1_000;

  /** Below 0.01 CPUs the period grows, since the quota cannot shrink. */
  static CpuQuota of(double cpus) {
    long quota = Math.round(cpus * USUAL_PERIOD);
    if (quota >= LEAST_QUOTA) {
      return new CpuQuota(quota, USUAL_PERIOD);
    }
    return new CpuQuota(LEAST_QUOTA, Math.min(Math.round(LEAST_QUOTA / cpus), LONGEST_PERIOD));
  }

  LimitValue value() {
    return LimitValue.cpus((double) quota / period);
  }

  /** {@code cpu.max}: {@code QUOTA PERIOD}, the quota a number or {@code max}. */
  static @Nullable LimitValue parse(String text) {
    String[] fields = text.strip().split(" ", -1);
    if (fields[0].equals("max")) {
      return LimitValue.UNLIMITED;
    }
    return fields.length == 2 ? value(fields[0], fields[1]) : null;
  }

  static @Nullable LimitValue value(String quotaText, String periodText) {
    OptionalLong quota = FlatKeyed.signed(quotaText);
    OptionalLong period = FlatKeyed.number(periodText);
    if (quota.isPresent() && quota.getAsLong() < 0) {
      return LimitValue.UNLIMITED; // v1
    }
    return quota.isPresent() && period.orElse(0) > 0
        ? new CpuQuota(quota.getAsLong(), period.getAsLong()).value()
        : null;
  }
}
