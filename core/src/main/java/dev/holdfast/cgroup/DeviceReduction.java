package dev.holdfast.cgroup;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The exceptions from one default that make the same of every device as an ordered list of rules.
 *
 * <p>An exception is a cell, a row, a column or the whole of a {@link DeviceTable}. So what departs
 * from the default can be had if, wherever an OTHER departs, its whole row or column does; if not,
 * the rules ask for a hole in an exception.
 */
final class DeviceReduction {
  private static final int OTHER = DeviceTable.OTHER;

  private final boolean allow;
  private final List<DeviceRule> exceptions = new ArrayList<>();
  private @Nullable String hole;

  private DeviceReduction(List<DeviceRule> rules, boolean base, boolean standard) {
    this.allow = !standard;
    for (DeviceRule.Type type : List.of(DeviceRule.Type.BLOCK, DeviceRule.Type.CHARACTER)) {
      add(type, new DeviceTable(rules, base, standard, type));
    }
  }

  /** The default with fewer exceptions is taken; if there are as many, {@code base}. */
  static DevicePolicy reduce(boolean base, List<DeviceRule> rules) {
    DeviceReduction same = new DeviceReduction(rules, base, base);
    DeviceReduction opposite = new DeviceReduction(rules, base, !base);
    if (same.hole != null && opposite.hole != null) {
      throw new IllegalArgumentException(same.hole);
    }
    boolean fewer = opposite.exceptions.size() < same.exceptions.size();
    return same.hole != null || (opposite.hole == null && fewer)
        ? DevicePolicy.reduced(!base, opposite.exceptions)
        : DevicePolicy.reduced(base, same.exceptions);
  }

  /**
   * An access must be matched by one exception as a whole, not bit by bit. So each has every bit
   * that is true of it, and is left out only if a larger one has them all, too.
   */
  private void add(DeviceRule.Type type, DeviceTable table) {
    int whole = table.common(OTHER, OTHER);
    for (int major : table.majors()) {
      int row = table.common(major, OTHER);
      for (int minor : table.minors(major)) {
        int mask = table.common(major, minor);
        int departing = table.cell(major, minor);
        if (departing != mask && hole == null) {
          hole = hole(type, major, minor, departing & ~mask, table);
        }
        boolean covered =
            (major == OTHER && minor == OTHER)
                ? mask == 0
                : (major == OTHER || minor == OTHER)
                    ? mask == whole
                    : mask == row || mask == table.common(OTHER, minor);
        if (!covered) {
          exceptions.add(rule(type, major, minor, mask));
        }
      }
    }
  }

  /** Words for the first cell that this exception would have and ought not to. */
  private String hole(DeviceRule.Type type, int major, int minor, int mask, DeviceTable table) {
    DeviceRule outer = rule(type, major, minor, mask);
    for (int innerMajor : table.majors()) {
      for (int innerMinor : table.minors(innerMajor)) {
        int missing = mask & ~table.cell(innerMajor, innerMinor);
        boolean inside =
            (major == OTHER || major == innerMajor) && (minor == OTHER || minor == innerMinor);
        if (inside && missing != 0) {
          return hole(outer.scope(), rule(type, innerMajor, innerMinor, missing).scope());
        }
      }
    }
    throw new AssertionError(outer);
  }

  private String hole(String outer, String inner) {
    String verb = allow ? "allow" : "deny";
    String opposite = allow ? "deny" : "allow";
    return String.join(
        " ",
        "the rules",
        verb,
        outer,
        "but",
        opposite,
        inner,
        "in it, and",
        opposite,
        "other devices: the kernel takes exceptions from one default, and no exceptions from those;"
            + " name each device, or begin with",
        allow ? "\"a *:* rwm\" and deny" : "\"!a *:* rwm\" and allow",
        "what is needed");
  }

  private DeviceRule rule(DeviceRule.Type type, int major, int minor, int mask) {
    return DeviceRule.of(allow, type, number(major), number(minor), mask);
  }

  private static OptionalInt number(int number) {
    return number == OTHER ? OptionalInt.empty() : OptionalInt.of(number);
  }
}
