package dev.holdfast.cgroup;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which devices the members of a group may use: all, or none, but for some exceptions. That is all
 * that the kernel's v1 controller knows; an ordered list of rules is brought to this form, in which
 * order does not matter any more.
 *
 * <p>It can only take away: what a group above denies stays denied.
 *
 * <p>Immutable and thread-safe.
 */
public final class DevicePolicy {
  /** Every device. */
  public static final DevicePolicy ALLOW_ALL = new DevicePolicy(true, List.of());

  /** No device. */
  public static final DevicePolicy DENY_ALL = new DevicePolicy(false, List.of());

  private final boolean allowedByDefault;
  private final List<DeviceRule> exceptions;

  private DevicePolicy(boolean allowedByDefault, List<DeviceRule> exceptions) {
    this.allowedByDefault = allowedByDefault;
    this.exceptions = List.copyOf(exceptions);
  }

  /** Exceptions as they come from {@link DeviceReduction}: opposite to the default, and sorted. */
  static DevicePolicy reduced(boolean allowedByDefault, List<DeviceRule> exceptions) {
    return new DevicePolicy(allowedByDefault, exceptions);
  }

  /**
   * What {@code rules} make of this policy. They are taken in their order; for each device and kind
   * of access the last one that matches counts.
   *
   * @throws IllegalArgumentException if that cannot be had as exceptions from one default: some
   *     devices of a kind are allowed and all others of the kind denied (or the other way round),
   *     while devices of other kinds are as those few
   */
  public DevicePolicy with(List<DeviceRule> rules) {
    boolean base = allowedByDefault;
    List<DeviceRule> all = new ArrayList<>(exceptions);
    for (DeviceRule rule : rules) {
      if (rule.isAboutAll()) {
        base = rule.allow();
        all.clear();
      } else {
        all.add(rule);
      }
    }
    return DeviceReduction.reduce(base, all);
  }

  /** Whether what no exception matches is allowed. */
  public boolean allowedByDefault() {
    return allowedByDefault;
  }

  /** All opposite to the default; none is part of another with the same access. */
  public List<DeviceRule> exceptions() {
    return exceptions;
  }

  /**
   * Whether this policy allows all of {@code access}.
   *
   * @param type not {@code ALL}
   */
  public boolean allows(DeviceRule.Type type, int major, int minor, Set<DeviceRule.Access> access) {
    for (DeviceRule.Access one : access) {
      boolean allowed = allowedByDefault;
      for (DeviceRule exception : exceptions) {
        if (exception.access().contains(one) && exception.matches(type, major, minor)) {
          allowed = !allowedByDefault;
        }
      }
      if (!allowed) {
        return false;
      }
    }
    return true;
  }

  /**
   * This policy where no more than {@code above} can be had: unlike v2, v1 wants a group to name
   * its own devices if the one above does so.
   */
  DevicePolicy below(DevicePolicy above) {
    return allowedByDefault && !above.allowedByDefault ? above.with(exceptions) : this;
  }

  /**
   * Reads {@code devices.list} of v1; null if it is not what the kernel writes. Where everything is
   * allowed by default the kernel does not show the exceptions.
   *
   * <pre>
   * { type " " major ":" minor " " access "\n" }     "a *:* rwm" alone if all is allowed by default
   * </pre>
   */
  static @Nullable DevicePolicy parseList(String list) {
    String stripped = list.strip();
    if (stripped.equals("a *:* rwm")) {
      return ALLOW_ALL;
    }
    List<DeviceRule> exceptions = new ArrayList<>();
    for (String line : stripped.lines().toList()) {
      try {
        DeviceRule rule = DeviceRule.parse(line);
        if (!rule.allow() || line.startsWith("/")) {
          return null;
        }
        exceptions.add(rule);
      } catch (IllegalArgumentException unknown) {
        return null;
      }
    }
    return new DevicePolicy(false, exceptions);
  }

  /** As a list of rules that makes this policy of any other. */
  public List<DeviceRule> toRules() {
    List<DeviceRule> rules = new ArrayList<>();
    rules.add(
        DeviceRule.of(
            allowedByDefault,
            DeviceRule.Type.ALL,
            OptionalInt.empty(),
            OptionalInt.empty(),
            DeviceRule.ALL_ACCESS));
    rules.addAll(exceptions);
    return rules;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof DevicePolicy that
        && allowedByDefault == that.allowedByDefault
        && exceptions.equals(that.exceptions);
  }

  @Override
  public int hashCode() {
    return exceptions.hashCode();
  }

  /** The rules, such as {@code !a *:* rwm, c 1:3 rwm}. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (DeviceRule rule : toRules()) {
      text.append(text.isEmpty() ? "" : ", ").append(rule);
    }
    return text.toString();
  }
}
