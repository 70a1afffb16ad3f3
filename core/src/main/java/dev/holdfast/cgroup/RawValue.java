package dev.holdfast.cgroup;

import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Whether a file holds what was written to it, of which nothing is known but its name. The kernel
 * has several ways to write one value: {@code 64M} reads 67108864, {@code 0,1} of a cpuset reads
 * 0-1, and v1's −1 is the largest number of pages.
 */
final class RawValue {
  private static final Pattern HUGE_PAGE = Pattern.compile("hugetlb\\.(\\d+)([KMG])B\\..*");
  private static final Pattern NUMBER = Pattern.compile("(0[xX][0-9a-fA-F]+|-?\\d+)([kKmMgGtT]?)");
  private static final String UNITS = "KMGT";

  private RawValue() {}

  /** True also where a file shows several values, or its content is not of the same form. */
  static boolean holds(String file, String written, String shown) {
    String wanted = written.strip();
    if (shown.equals(wanted) || wanted.isEmpty()) {
      return true;
    }
    if (shown.startsWith(wanted + " invalid")) {
      return false; // a cpuset's partition that cannot be had
    }
    if (shown.isEmpty() || !isWord(wanted) || !isWord(shown)) {
      return true;
    }
    OptionalLong before = number(wanted);
    OptionalLong after = number(shown);
    if (before.isPresent() && after.isPresent()) {
      return before.getAsLong() == after.getAsLong()
          || (after.getAsLong() >= 0
              && Math.abs(before.getAsLong() - after.getAsLong()) < unit(file));
    }
    LimitValue percent = CpuTuning.percent(wanted);
    if (file.startsWith("cpu.uclamp.") && percent.equals(CpuTuning.percent(shown))) {
      return true;
    }
    IdList ids = ids(wanted);
    IdList found = ids(shown);
    return ids != null && found != null && ids.contains(found) && found.contains(ids);
  }

  private static boolean isWord(String text) {
    return text.chars().noneMatch(Character::isWhitespace);
  }

  /** Counts of bytes are rounded to pages. */
  private static long unit(String file) {
    Matcher huge = HUGE_PAGE.matcher(file);
    if (huge.matches()) {
      return Long.parseLong(huge.group(1)) << (10 * (UNITS.indexOf(huge.group(2)) + 1));
    }
    return file.startsWith("memory.") && !file.equals("memory.swappiness") ? LimitRows.PAGE : 1;
  }

  /** As the kernel's memparse() reads it; {@link Long#MAX_VALUE} for no limit. */
  private static OptionalLong number(String text) {
    if (text.equals("max") || text.equals("-1")) {
      return OptionalLong.of(Long.MAX_VALUE);
    }
    Matcher matcher = NUMBER.matcher(text);
    if (!matcher.matches()) {
      return OptionalLong.empty();
    }
    try {
      int unit =
          matcher.group(2).isEmpty()
              ? 0
              : UNITS.indexOf(matcher.group(2).toUpperCase(Locale.ROOT)) + 1;
      long number = Math.multiplyExact(Long.decode(decimal(matcher.group(1))), 1L << (10 * unit));
      return OptionalLong.of(number > Long.MAX_VALUE - LimitRows.PAGE ? Long.MAX_VALUE : number);
    } catch (NumberFormatException | ArithmeticException tooLarge) {
      return OptionalLong.of(Long.MAX_VALUE);
    }
  }

  /** A zero in front is not for octal numbers here. */
  private static String decimal(String digits) {
    return digits.startsWith("0x") || digits.startsWith("0X")
        ? digits
        : digits.replaceFirst("^(-?)0+(?=\\d)", "$1");
  }

  private static @Nullable IdList ids(String text) {
    try {
      return IdList.parse(text);
    } catch (IllegalArgumentException none) {
      return null;
    }
  }
}
