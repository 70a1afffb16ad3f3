package dev.holdfast.cgroup;

import java.util.Locale;

/** The value of a limit. Immutable. */
public sealed interface LimitValue {
  /** Bytes, tasks, or a weight: whatever the limit counts. */
  record Count(long value) implements LimitValue {
    @Override
    public String toString() {
      return Long.toString(value);
    }
  }

  /** CPUs: 1.5 is one and a half. */
  record Cpus(double value) implements LimitValue {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%s", value);
    }
  }

  /** The kernel's own text, for sets and lists. */
  record Text(String value) implements LimitValue {
    @Override
    public String toString() {
      return value;
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
