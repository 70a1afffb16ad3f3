package dev.holdfast.cgroup;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Where an ordered list of rules, of which the last that matches counts, departs from a default,
 * for one type of device: a table of majors and minors. The numbers that the rules name, and one
 * {@link #OTHER} for all that they do not, make cells that are allowed or denied as a whole, by
 * kind of access. A minor that a row does not have is as its OTHER.
 */
final class DeviceTable {
  /** All numbers that no rule names. */
  static final int OTHER = -1;

  /** The bits of access that depart, by major and minor. */
  private final Map<Integer, Map<Integer, Integer>> rows = new TreeMap<>();

  /**
   * Fills it.
   *
   * @param base whether what no rule matches is allowed
   * @param standard the default that cells depart from
   */
  DeviceTable(List<DeviceRule> rules, boolean base, boolean standard, DeviceRule.Type type) {
    rows.put(OTHER, new TreeMap<>());
    for (DeviceRule rule : rules) {
      rule.major().ifPresent(major -> rows.put(major, new TreeMap<>()));
    }
    for (Map.Entry<Integer, Map<Integer, Integer>> row : rows.entrySet()) {
      int major = row.getKey();
      row.getValue().put(OTHER, departure(rules, base, standard, type, major, OTHER));
      for (DeviceRule rule : rules) {
        if (rule.minor().isPresent()) {
          int minor = rule.minor().getAsInt();
          if (!row.getValue().containsKey(minor) && rule.matches(type, major, minor)) {
            row.getValue().put(minor, departure(rules, base, standard, type, major, minor));
          }
        }
      }
    }
  }

  private static int departure(
      List<DeviceRule> rules,
      boolean base,
      boolean standard,
      DeviceRule.Type type,
      int major,
      int minor) {
    int decided = 0;
    int allowed = 0;
    for (DeviceRule rule : rules.reversed()) {
      if (rule.matches(type, major, minor)) {
        int fresh = rule.mask() & ~decided;
        decided |= fresh;
        allowed |= rule.allow() ? fresh : 0;
      }
    }
    allowed |= base ? DeviceRule.ALL_ACCESS & ~decided : 0;
    return standard ? DeviceRule.ALL_ACCESS & ~allowed : allowed;
  }

  /** OTHER first. */
  Set<Integer> majors() {
    return rows.keySet();
  }

  /** Those that the row has; OTHER first. */
  Set<Integer> minors(int major) {
    return row(major).keySet();
  }

  /** The bits of access that depart there. */
  int cell(int major, int minor) {
    Map<Integer, Integer> row = row(major);
    Integer named = row.get(minor);
    return named != null ? named : row.getOrDefault(OTHER, 0);
  }

  /**
   * The bits that depart in all of the cells that these numbers stand for: OTHER stands for every
   * one.
   */
  int common(int major, int minor) {
    int common = DeviceRule.ALL_ACCESS;
    for (int eachMajor : major == OTHER ? rows.keySet() : Set.of(major)) {
      Collection<Integer> minors = minor == OTHER ? minors(eachMajor) : Set.of(minor);
      for (int eachMinor : minors) {
        common &= cell(eachMajor, eachMinor);
      }
    }
    return common;
  }

  private Map<Integer, Integer> row(int major) {
    Map<Integer, Integer> row = rows.get(major);
    if (row == null) {
      throw new AssertionError(major);
    }
    return row;
  }
}
