package dev.holdfast.cgroup;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/**
 * Random rules over few devices, so that they meet; and what they mean, straight from the words.
 */
final class DeviceRules {
  /** The greatest number that rules name; one more is a number that they do not. */
  static final int GREATEST = 3;

  private static final List<DeviceRule.Type> ALL_TYPES = List.of(DeviceRule.Type.values());

  static final List<DeviceRule.Type> TYPES =
      List.of(DeviceRule.Type.BLOCK, DeviceRule.Type.CHARACTER);

  private DeviceRules() {}

  static List<DeviceRule> random(Random random) {
    List<DeviceRule> rules = new ArrayList<>();
    for (int count = random.nextInt(7); count > 0; count--) {
      rules.add(
          DeviceRule.of(
              random.nextBoolean(),
              ALL_TYPES.get(random.nextInt(3)),
              number(random),
              number(random),
              random.nextInt(3) == 0 ? 1 + random.nextInt(7) : DeviceRule.ALL_ACCESS));
    }
    return rules;
  }

  private static OptionalInt number(Random random) {
    return random.nextInt(3) == 0
        ? OptionalInt.empty()
        : OptionalInt.of(random.nextInt(GREATEST + 1));
  }

  /** The last rule that matches counts, for each kind of access. */
  static boolean allows(
      boolean base,
      List<DeviceRule> rules,
      DeviceRule.Type type,
      int major,
      int minor,
      Set<DeviceRule.Access> access) {
    for (DeviceRule.Access one : access) {
      boolean allowed = base;
      for (DeviceRule rule : rules) {
        boolean sameType = rule.type() == DeviceRule.Type.ALL || rule.type() == type;
        boolean sameMajor = rule.major().isEmpty() || rule.major().getAsInt() == major;
        boolean sameMinor = rule.minor().isEmpty() || rule.minor().getAsInt() == minor;
        if (sameType && sameMajor && sameMinor && rule.access().contains(one)) {
          allowed = rule.allow();
        }
      }
      if (!allowed) {
        return false;
      }
    }
    return true;
  }

  /** Every kind of access there is, by its bits from 1. */
  static Set<DeviceRule.Access> access(int mask) {
    return DeviceRule.of(true, DeviceRule.Type.ALL, OptionalInt.empty(), OptionalInt.empty(), mask)
        .access();
  }

  /** Calls back with every access to every device that there is here. */
  static void each(EachAccess check) {
    for (DeviceRule.Type type : TYPES) {
      for (int major = 0; major <= GREATEST + 1; major++) {
        for (int minor = 0; minor <= GREATEST + 1; minor++) {
          for (int mask = 1; mask <= DeviceRule.ALL_ACCESS; mask++) {
            check.access(type, major, minor, access(mask));
          }
        }
      }
    }
  }

  interface EachAccess {
    void access(DeviceRule.Type type, int major, int minor, Set<DeviceRule.Access> access);
  }
}
