package dev.holdfast.cgroup;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
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
   * A weight in the unit of v1's {@code blkio.weight}, 10 to 1000, which the scheduler bfq takes as
   * it is. v2's {@code io.weight} has another unit.
   */
  record BlkioWeight(long value) implements LimitValue {
    @Override
    public String toString() {
      return Long.toString(value);
    }
  }

  /**
   * Values of one device by the kernel's names, such as {@code rbps} and {@code wiops}; those that
   * are not named stay as they are.
   */
  record Keyed(Map<String, LimitValue> values) implements LimitValue {
    public Keyed {
      values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** With those of {@code other}, which take the place of these. */
    Keyed and(Keyed other) {
      Map<String, LimitValue> both = new LinkedHashMap<>(values);
      both.putAll(other.values);
      return new Keyed(both);
    }

    /** All of its keys without a limit, as the kernel has it: {@code rbps=max wiops=max}. */
    String lifted() {
      return String.join(" ", values.keySet().stream().map(key -> key + "=max").toList());
    }

    /** As the kernel has it: {@code rbps=1048576 wiops=max}. */
    @Override
    public String toString() {
      StringJoiner words = new StringJoiner(" ");
      values.forEach((key, value) -> words.add(key + "=" + value));
      return words.toString();
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
    public static final long SAME_QUOTA = Long.MIN_VALUE;

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
