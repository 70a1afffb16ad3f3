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
