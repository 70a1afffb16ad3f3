package dev.holdfast.cgroup;

import dev.holdfast.linux.RawText;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;

/**
 * Reads sizes, CPUs and counts as people write them. Each method throws {@link
 * IllegalArgumentException} with what was written and what is allowed.
 */
public final class LimitText {
  /** The kernel's PID_MAX_LIMIT on 64 bits. */
  static final long MOST_TASKS = 4L * 1024 * 1024;

  private static final Map<String, Integer> SHIFTS =
      Map.of("", 0, "K", 10, "M", 20, "G", 30, "T", 40);
  private static final double MOST_CPUS = 1_000_000;

  private LimitText() {}

  /**
   * A size in bytes from 1: a whole number, alone or with {@code K M G T} (or {@code KiB…}), all of
   * 1024; {@code max} or {@code unlimited} for none.
   */
  public static LimitValue size(String text) {
    if (isUnlimited(text)) {
      return LimitValue.UNLIMITED;
    }
    int digits = 0;
    while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
      digits++;
    }
    String suffix = text.substring(digits);
    // Upper case makes ASCII of some letters that are not.
    suffix = RawText.isPlain(suffix) ? suffix.toUpperCase(Locale.ROOT) : suffix;
    if (suffix.length() == 3 && suffix.endsWith("IB")) {
      suffix = suffix.substring(0, 1);
    } else if (suffix.equals("B")) {
      suffix = "";
    }
    Integer shift = SHIFTS.get(suffix);
    if (digits > 0 && digits < 20 && shift != null) {
      try {
        long number = Long.parseLong(text.substring(0, digits));
        if (number > 0 && number <= Long.MAX_VALUE >> shift) {
          return LimitValue.count(number << shift);
        }
      } catch (NumberFormatException tooLarge) {
        // said below
      }
    }
    throw new IllegalArgumentException(
        "\"" + text + "\" is not a size: give bytes from 1, or with K, M, G or T, or \"max\"");
  }

  /** CPUs from 0.001, such as {@code 1.5}; {@code max} or {@code unlimited} for none. */
  public static LimitValue cpus(String text) {
    if (isUnlimited(text)) {
      return LimitValue.UNLIMITED;
    }
    if (isDecimal(text)) {
      double value = new BigDecimal(text).doubleValue();
      if (value >= 0.001 && value <= MOST_CPUS) {
        return LimitValue.cpus(value);
      }
    }
    throw new IllegalArgumentException(
        "\"" + text + "\" is not a number of CPUs: give one from 0.001, such as 1.5, or \"max\"");
  }

  static LimitValue count(String text, long least, long most) {
    if (isDigits(text, 0, text.length(), 18)) {
      long value = Long.parseLong(text);
      if (value >= least && value <= most) {
        return LimitValue.count(value);
      }
    }
    throw new IllegalArgumentException(
        "\"" + text + "\" is not a whole number from " + least + " to " + most);
  }

  /** {@code 2}, {@code 1.5} or {@code .5}: 7 digits before the point and 9 behind it at most. */
  private static boolean isDecimal(String text) {
    int point = text.indexOf('.');
    if (point < 0) {
      return isDigits(text, 0, text.length(), 7);
    }
    return (point == 0 || isDigits(text, 0, point, 7))
        && isDigits(text, point + 1, text.length(), 9);
  }

  /** Whether there are 1 to {@code most} digits from {@code begin} to {@code end}, and no more. */
  private static boolean isDigits(String text, int begin, int end, int most) {
    if (begin == end || end - begin > most) {
      return false;
    }
    for (int i = begin; i < end; i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  static boolean isUnlimited(String text) {
    return text.equals("max") || text.equals("unlimited");
  }
}
