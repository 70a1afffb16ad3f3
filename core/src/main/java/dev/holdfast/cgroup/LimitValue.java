package dev.holdfast.cgroup;

import org.jspecify.annotations.Nullable;

/** The value of a limit. Immutable. */
public sealed interface LimitValue {
  /** Bytes, tasks, or a weight: whatever the limit counts. */
  record Count(long value) implements LimitValue {
    // Equality is written out in these two: what the JVM makes up costs its first use milliseconds.
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Count that && value == that.value;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(value);
    }

    @Override
    public String toString() {
      return Long.toString(value);
    }
  }

  /** CPUs: 1.5 is one and a half. */
  record Cpus(double value) implements LimitValue {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Cpus that && Double.compare(value, that.value) == 0;
    }

    @Override
    public int hashCode() {
      return Double.hashCode(value);
    }

    @Override
    public String toString() {
      return Double.toString(value);
    }
  }

  /** The kernel's own text, for sets and lists. */
  record Text(String value) implements LimitValue {
    @Override
    public String toString() {
      return value;
    }
  }

  /** Which devices may be used. */
  record Devices(DevicePolicy policy) implements LimitValue {
    @Override
    public String toString() {
      return policy.toString();
    }
  }

  /**
   * A weight in the unit of v1's {@code cpu.shares}, 2 to 262144, of which 1024 are usual. v2 has
   * another unit.
   */
  record Shares(long value) implements LimitValue {
    @Override
    public String toString() {
      return Long.toString(value);
    }
  }

  /**
   * CPU time in each period, both in microseconds.
   *
   * @param quota {@link #NO_QUOTA} for as much as there is, {@link #SAME_QUOTA} for what the group
   *     has already
   */
  record Bandwidth(long quota, long period) implements LimitValue {
    public static final long NO_QUOTA = -1;
    public static final long SAME_QUOTA = 0;

    @Override
    public String toString() {
      return quota == SAME_QUOTA
          ? "- " + period
          : (quota == NO_QUOTA ? "max" : Long.toString(quota)) + " " + period;
    }
  }

  /** No limit. */
  record Unlimited() implements LimitValue {
    @Override
    public String toString() {
      return "max";
    }
  }

  /** No limit. */
  Unlimited UNLIMITED = new Unlimited();

  static LimitValue count(long value) {
    return new Count(value);
  }

  static LimitValue cpus(double value) {
    return new Cpus(value);
  }
}
