package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DevicePolicyTest {
  private static List<DeviceRule> rules(String text) {
    return text.isBlank()
        ? List.of()
        : Arrays.stream(text.split(",", -1)).map(DeviceRule::parse).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                                  | a *:* rwm",
        "!c 1:3 rwm                          | a *:* rwm, !c 1:3 rwm",
        "!c 1:3 rwm,c 1:3 rw                 | a *:* rwm, !c 1:3 m",
        "!c 1:3 rwm,c 1:* rwm                | a *:* rwm",
        "!c 1:3 rwm,!c *:* rwm               | a *:* rwm, !c *:* rwm",
        "!a *:* rwm                          | !a *:* rwm",
        "!a *:* rwm,c 1:3 rw,c 1:3 m         | !a *:* rwm, c 1:3 rwm",
        "!a,c *:* m,b *:* m,c 136:* rwm,c 1:3 rw | !a *:* rwm, b *:* m, c *:* m, c 1:3 rwm, c 136:* rwm",
        // A hole in a wildcard, but none if all is denied first: the same devices.
        "!c *:* rwm,c 1:3 rwm                | !a *:* rwm, b *:* rwm, c 1:3 rwm",
        "!c *:* rwm,!b *:* rwm               | !a *:* rwm",
        "!a *:* w                            | a *:* rwm, !b *:* w, !c *:* w",
        "!a 1:* r,!a *:3 w                   | a *:* rwm, !b *:3 w, !b 1:* r, !b 1:3 rw, !c *:3 w, !c 1:* r, !c 1:3 rw",
      })
  void isOneDefaultWithSortedExceptions(String rules, String policy) {
    DevicePolicy reduced = DevicePolicy.ALLOW_ALL.with(rules(rules));
    assertThat(reduced).hasToString(policy);
    assertThat(DevicePolicy.DENY_ALL.with(reduced.toRules())).isEqualTo(reduced);
  }

  @Test
  void aHoleInAnExceptionIsAnError() {
    assertThatThrownBy(() -> DevicePolicy.ALLOW_ALL.with(rules("!c 1:* rwm,c 1:3 rw")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the rules deny c 1:* rw but allow c 1:3 rw in it, and allow other devices: the kernel"
                + " takes exceptions from one default, and no exceptions from those; name each"
                + " device, or begin with \"!a *:* rwm\" and allow what is needed");
    assertThatThrownBy(() -> DevicePolicy.DENY_ALL.with(rules("c *:3 rwm,!c 1:3 m")))
        .hasMessageContaining("allow c *:3 m but deny c 1:3 m in it, and deny other devices");
    assertThatThrownBy(() -> DevicePolicy.DENY_ALL.with(rules("c *:* r,!c 1:3 r,b 8:0 m")))
        .hasMessageContaining("allow c *:* r but deny c 1:3 r in it");
    // The rest of what the hole was made in goes, too.
    assertThat(DevicePolicy.ALLOW_ALL.with(rules("!c 1:* rwm,c 1:3 rw,c 1:* rwm")))
        .isEqualTo(DevicePolicy.ALLOW_ALL);
  }

  /** The same devices as the rules say, whatever the kernel looks at first, on v1 and v2. */
  @Test
  void meansWhatTheRulesMean() {
    long seed = Long.getLong("holdfast.seed", System.nanoTime());
    System.out.println("DevicePolicyTest: -Dholdfast.seed=" + seed);
    Random random = new Random(seed);
    int reduced = 0;
    int rounds = 2000;
    for (int round = 0; round < rounds; round++) {
      boolean base = random.nextBoolean();
      List<DeviceRule> rules = DeviceRules.random(random);
      DevicePolicy policy;
      try {
        policy = (base ? DevicePolicy.ALLOW_ALL : DevicePolicy.DENY_ALL).with(rules);
      } catch (IllegalArgumentException hole) {
        assertThat(canBeHad(base, rules, true) || canBeHad(base, rules, false))
            .as("%s %s: %s", base, rules, hole.getMessage())
            .isFalse();
        continue;
      }
      reduced++;
      long[] program = DeviceProgram.of(policy);
      DeviceRules.each((type, major, minor, access) -> {
        boolean allowed = DeviceRules.allows(base, rules, type, major, minor, access);
        if (policy.allows(type, major, minor, access) != allowed
            || v1(policy, type, major, minor, access) != allowed
            || BpfMachine.deviceAccess(program, type, major, minor, access) != allowed) {
          throw new AssertionError(
              base + " " + rules + " -> " + policy + ": " + type + major + ":" + minor + access);
        }
      });
      assertThat(policy.exceptions()).allMatch(rule -> rule.allow() != policy.allowedByDefault());
      List<DeviceRule> shuffled = new ArrayList<>(policy.exceptions());
      Collections.shuffle(shuffled, random);
      assertThat(
              (policy.allowedByDefault() ? DevicePolicy.ALLOW_ALL : DevicePolicy.DENY_ALL)
                  .with(shuffled))
          .isEqualTo(policy);
    }
    assertThat(reduced).isBetween(rounds / 10, rounds * 9 / 10);
  }

  /**
   * The long way round: every exception that says nothing wrong is taken, and it is enough if they
   * say all.
   */
  private static boolean canBeHad(boolean base, List<DeviceRule> rules, boolean standard) {
    List<DeviceRule> right = new ArrayList<>();
    for (DeviceRule.Type type : DeviceRules.TYPES) {
      for (int major = -1; major <= DeviceRules.GREATEST; major++) {
        for (int minor = -1; minor <= DeviceRules.GREATEST; minor++) {
          for (DeviceRule.Access access : DeviceRule.Access.values()) {
            String text =
                "%s %s:%s %s".formatted(type.letter(), star(major), star(minor), access.letter());
            DeviceRule box = DeviceRule.parse((standard ? "!" : "") + text);
            if (isRight(base, rules, box)) {
              right.add(box);
            }
          }
        }
      }
    }
    boolean[] same = {true};
    DeviceRules.each((type, major, minor, access) ->
        same[0] &=
            DeviceRules.allows(base, rules, type, major, minor, access)
                == DeviceRules.allows(standard, right, type, major, minor, access));
    return same[0];
  }

  private static String star(int number) {
    return number < 0 ? "*" : Integer.toString(number);
  }

  private static boolean isRight(boolean base, List<DeviceRule> rules, DeviceRule box) {
    boolean[] right = {true};
    DeviceRules.each((type, major, minor, access) -> {
      if (access.equals(box.access()) && box.matches(type, major, minor)) {
        right[0] &= DeviceRules.allows(base, rules, type, major, minor, access) == box.allow();
      }
    });
    return right[0];
  }

  /**
   * As security/device_cgroup.c: where all is denied one exception must match the access as a
   * whole; where all is allowed none may match any part of it.
   */
  private static boolean v1(
      DevicePolicy policy,
      DeviceRule.Type type,
      int major,
      int minor,
      Set<DeviceRule.Access> access) {
    for (DeviceRule exception : policy.exceptions()) {
      if (exception.matches(type, major, minor)) {
        if (policy.allowedByDefault()
            ? access.stream().anyMatch(exception.access()::contains)
            : exception.access().containsAll(access)) {
          return !policy.allowedByDefault();
        }
      }
    }
    return policy.allowedByDefault();
  }

  @Test
  void belowAListOfDevicesItIsAList() {
    DevicePolicy above = DevicePolicy.DENY_ALL.with(rules("c 1:3 rwm,c 5:* rw"));
    assertThat(DevicePolicy.ALLOW_ALL.with(rules("!c 1:3 w,!c 7:7 rwm")).below(above))
        .hasToString("!a *:* rwm, c 1:3 rm, c 5:* rw");
    DevicePolicy list = DevicePolicy.DENY_ALL.with(rules("c 1:5 r"));
    assertThat(list.below(above)).isEqualTo(list);
    assertThat(list.below(DevicePolicy.ALLOW_ALL)).isEqualTo(list);
    DevicePolicy hole = DevicePolicy.ALLOW_ALL.with(rules("!c 5:1 r"));
    assertThatThrownBy(() -> hole.below(above)).hasMessageContaining("c 5:1 r");
  }

  @Test
  void readsTheKernelsList() {
    assertThat(DevicePolicy.parseList("a *:* rwm\n")).isEqualTo(DevicePolicy.ALLOW_ALL);
    assertThat(DevicePolicy.parseList("")).isEqualTo(DevicePolicy.DENY_ALL);
    assertThat(DevicePolicy.parseList("c 1:3 rwm\nb *:* m\n"))
        .hasToString("!a *:* rwm, c 1:3 rwm, b *:* m");
    for (String wrong : List.of("c 1:3", "!c 1:3 rwm", "/dev/null rwm", "x\n", "c 1:3 rwm\n\n?")) {
      assertThat(DevicePolicy.parseList(wrong)).isNull();
    }
  }

  @Test
  void manyRulesTakeNoTime() {
    List<DeviceRule> rules = new ArrayList<>(rules("!a"));
    for (int i = 0; i < 1000; i++) {
      rules.add(DeviceRule.parse("c " + i + ":" + i + " rw"));
    }
    DevicePolicy policy = DevicePolicy.ALLOW_ALL.with(rules);
    assertThat(policy.exceptions()).hasSize(1000);
    assertThat(
            BpfMachine.deviceAccess(
                DeviceProgram.of(policy),
                DeviceRule.Type.CHARACTER,
                999,
                999,
                Set.of(DeviceRule.Access.READ)))
        .isTrue();
  }
}
