package dev.holdfast.oci;

import dev.holdfast.cgroup.DevicePolicy;
import dev.holdfast.cgroup.DeviceRule;
import dev.holdfast.cgroup.DeviceRule.Access;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** {@code linux.resources.devices}: rules in their order, of which the last that matches counts. */
final class OciDevices {
  private static final String PATH = "linux.resources.devices";
  private static final int ALL = -1;

  /**
   * What a runtime supplies besides what a list allows (config-linux.md, Default Devices): null,
   * zero, full, random, urandom; tty, console, ptmx; and the terminals of devpts. Hardly a program
   * starts without the first.
   */
  private static final List<String> DEFAULT =
      List.of(
          "c 1:3 rwm",
          "c 1:5 rwm",
          "c 1:7 rwm",
          "c 1:8 rwm",
          "c 1:9 rwm",
          "c 5:0 rwm",
          "c 5:1 rwm",
          "c 5:2 rwm",
          "c 136:* rwm");

  private OciDevices() {}

  static List<DeviceRule> read(Node devices) throws HoldfastException {
    List<DeviceRule> rules = new ArrayList<>();
    for (Node device : devices.items()) {
      rules.add(
          new DeviceRule(
              device.get("allow").required().truth().orElseThrow(),
              type(device.get("type")),
              number(device.get("major"), DeviceRule.GREATEST_MAJOR),
              number(device.get("minor"), DeviceRule.GREATEST_MINOR),
              access(device.get("access").required())));
    }
    return List.copyOf(rules);
  }

  private static DeviceRule.Type type(Node node) throws HoldfastException {
    return switch (node.text().orElse("a")) {
      case "a", "" -> DeviceRule.Type.ALL;
      case "b" -> DeviceRule.Type.BLOCK;
      case "c" -> DeviceRule.Type.CHARACTER;
      default -> throw node.expected("\"a\", \"b\" or \"c\"");
    };
  }

  private static OptionalInt number(Node node, int greatest) throws HoldfastException {
    OptionalInt number = node.integer(ALL, greatest);
    return number.orElse(ALL) == ALL ? OptionalInt.empty() : number;
  }

  private static Set<Access> access(Node node) throws HoldfastException {
    String letters = node.text().orElseThrow();
    Set<Access> access = EnumSet.noneOf(Access.class);
    for (Access each : Access.values()) {
      if (letters.indexOf(each.letter()) >= 0) {
        access.add(each);
      }
    }
    if (!letters.matches("[rwm]{1,3}")) {
      throw node.expected("letters of \"rwm\"");
    }
    return access;
  }

  static void addTo(List<Setting> settings, List<DeviceRule> rules) throws HoldfastException {
    if (!rules.isEmpty()) {
      DevicePolicy policy = policy(rules);
      settings.add(
          new Setting(
              PATH, LimitKind.DEVICE, policy.toString(), builder -> builder.devices(policy)));
    }
  }

  /**
   * Where a list denies by default the default devices stay; one that denies them by name means it.
   */
  static DevicePolicy policy(List<DeviceRule> rules) throws HoldfastException {
    try {
      DevicePolicy policy = DevicePolicy.ALLOW_ALL.with(rules);
      if (policy.allowedByDefault()) {
        return policy;
      }
      List<DeviceRule> defaults = new ArrayList<>();
      for (String rule : DEFAULT) {
        defaults.add(DeviceRule.parse(rule));
      }
      return policy.with(defaults);
    } catch (IllegalArgumentException hole) {
      throw Wrong.at(PATH, String.valueOf(hole.getMessage()), hole);
    }
  }
}
