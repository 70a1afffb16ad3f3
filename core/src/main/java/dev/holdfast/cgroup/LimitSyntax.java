package dev.holdfast.cgroup;

import java.math.BigDecimal;
import java.util.Map;

/** How limits that are neither sizes nor counts are written; each method reads one kind. */
final class LimitSyntax {
  private static final Map<String, Integer> MICROS =
      Map.of("us", 1, "ms", 1000, "s", 1_000_000, "m", 60_000_000);
  private static final long LONGEST = 60_000_000L;

  private LimitSyntax() {}

  /** {@code yes} or {@code no}, as 1 or 0. */
  static LimitValue truth(String text) {
    return switch (text) {
      case "yes", "1" -> LimitValue.count(1);
      case "no", "0" -> LimitValue.count(0);
      default -> throw new IllegalArgumentException("\"" + text + "\" is neither yes nor no");
    };
  }

  /** A time up to a minute, such as {@code 20ms} or {@code 500us}, as microseconds. */
  static LimitValue micros(String text) {
    int digits = 0;
    while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
      digits++;
    }
    Integer unit = MICROS.get(text.substring(digits));
    long number = digits > 9 ? -1 : ProcText.number(text.substring(0, digits));
    if (unit == null || number < 0 || number * unit > LONGEST) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not a time up to 1m, such as 500us or 20ms");
    }
    return LimitValue.count(number * unit);
  }

  /** 0 to 100 with at most two digits behind the point, or {@code max}. */
  static LimitValue percent(String text) {
    if (text.equals("max")) {
      return new LimitValue.Text("max");
    }
    if (text.matches("[0-9]{1,3}(\\.[0-9]{1,2})?")
        && new BigDecimal(text).compareTo(BigDecimal.valueOf(100)) <= 0) {
      return CpuTuning.percent(text);
    }
    throw new IllegalArgumentException(
        "\"" + text + "\" is not a percentage such as 12.5, or \"max\"");
  }

  /** {@code RUNTIME/PERIOD}, both in microseconds, the period up to a minute. */
  static LimitValue realtime(String text) {
    int slash = text.indexOf('/');
    long runtime = slash < 0 ? -1 : ProcText.number(text.substring(0, slash));
    long period = slash < 0 ? -1 : ProcText.number(text.substring(slash + 1));
    if (runtime < 0 || period < 1 || runtime > period || period > LONGEST) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not RUNTIME/PERIOD in microseconds, such as 950000/1000000");
    }
    return new LimitValue.Bandwidth(runtime, period);
  }

  /** Processors or memory nodes, at least one. */
  static LimitValue ids(String text) {
    IdList list = IdList.parse(text);
    if (list.isEmpty()) {
      throw new IllegalArgumentException("the list is empty: give one such as 0-3,7");
    }
    return new LimitValue.Text(list.toString());
  }

  /** What kind of partition a cpuset is the root of. */
  static LimitValue partition(String text) {
    return switch (text) {
      case "member", "root", "isolated" -> new LimitValue.Text(text);
      default ->
          throw new IllegalArgumentException(
              "\"" + text + "\" is neither member, root nor isolated");
    };
  }
}
