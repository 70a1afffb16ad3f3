package dev.holdfast.bench;

import java.util.Locale;

/** What samples are counted in, and whether less is better. */
enum Unit {
  MICROSECONDS(true),
  MEBIBYTES_PER_SECOND(false),
  PER_SECOND(false),
  THREADS(true);

  private final boolean lessIsBetter;

  Unit(boolean lessIsBetter) {
    this.lessIsBetter = lessIsBetter;
  }

  boolean lessIsBetter() {
    return lessIsBetter;
  }

  String format(double value) {
    return switch (this) {
      case MICROSECONDS ->
          value < 100_000
              ? String.format(Locale.ROOT, "%.3f ms", value / 1e3)
              : String.format(Locale.ROOT, "%.1f ms", value / 1e3);
      case MEBIBYTES_PER_SECOND -> String.format(Locale.ROOT, "%.0f MiB/s", value);
      case PER_SECOND -> String.format(Locale.ROOT, "%.0f /s", value);
      case THREADS -> String.format(Locale.ROOT, "%.0f", value);
    };
  }
}
