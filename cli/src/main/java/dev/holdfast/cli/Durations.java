package dev.holdfast.cli;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;

/** Times as people write them: {@code 250ms 10s 1.5m 1h}. */
final class Durations {
  private static final BigDecimal MOST_NANOS = BigDecimal.valueOf(1_000_000L * 3600, -9);

  private Durations() {}

  static boolean isUnlimited(String text) {
    return text.equals("max") || text.equals("unlimited");
  }

  /** A time above 0, up to a million hours. */
  static Duration parse(String text) {
    int digits = 0;
    while (digits < text.length() && isNumeral(text.charAt(digits))) {
      digits++;
    }
    long unit = unit(text.substring(digits));
    if (digits > 0 && unit > 0) {
      try {
        BigDecimal nanos =
            new BigDecimal(text.substring(0, digits)).multiply(BigDecimal.valueOf(unit));
        if (nanos.compareTo(BigDecimal.ONE) >= 0 && nanos.compareTo(MOST_NANOS) <= 0) {
          return Duration.ofNanos(nanos.setScale(0, RoundingMode.DOWN).longValueExact());
        }
      } catch (NumberFormatException notANumber) {
        // said below
      }
    }
    throw new IllegalArgumentException(
        "\"" + text + "\" is not a time above 0: give a number with ms, s, m or h, such as 10s");
  }

  private static boolean isNumeral(char c) {
    return (c >= '0' && c <= '9') || c == '.';
  }

  private static long unit(String suffix) {
    return switch (suffix) {
      case "ms" -> 1_000_000L;
      case "s" -> 1_000_000_000L;
      case "m" -> 60_000_000_000L;
      case "h" -> 3_600_000_000_000L;
      default -> 0;
    };
  }
}
