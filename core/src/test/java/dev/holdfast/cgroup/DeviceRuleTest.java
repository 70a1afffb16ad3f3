package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceRuleTest {
  @Test
  void parsesWhatTheCommandLineTakes() {
    assertThat(DeviceRule.parse("c 1:3 rwm"))
        .isEqualTo(
            new DeviceRule(
                true,
                DeviceRule.Type.CHARACTER,
                OptionalInt.of(1),
                OptionalInt.of(3),
                EnumSet.allOf(DeviceRule.Access.class)));
    assertThat(DeviceRule.parse("!b *:* w"))
        .isEqualTo(
            new DeviceRule(
                false,
                DeviceRule.Type.BLOCK,
                OptionalInt.empty(),
                OptionalInt.empty(),
                Set.of(DeviceRule.Access.WRITE)));
  }

  @ParameterizedTest
  @CsvSource({
    "c 1:3 rwm, c 1:3 rwm",
    "' ! c  1:*\tmw ', !c 1:* wm",
    "a *:7 r, a *:7 r",
    "a, a *:* rwm",
    "!a, !a *:* rwm",
    "b 4095:1048575 m, b 4095:1048575 m",
    "/dev/null rw, c 1:3 rw",
    "! /dev/zero rwm, !c 1:5 rwm",
  })
  void writesWhatItParses(String text, String canonical) {
    assertThat(DeviceRule.parse(text)).hasToString(canonical);
    assertThat(DeviceRule.parse(canonical)).hasToString(canonical);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "!",
        "c",
        "c 1:3",
        "c 1:3 ",
        "c 1:3 x",
        "c 1:3 rr",
        "c 1:3 rwmr",
        "c 1 r",
        "c 1: r",
        "c -1:3 r",
        "c 4096:0 r",
        "c 0:1048576 r",
        "c 99999999999:0 r",
        "c 1:3:5 r",
        "d 1:3 r",
        "p 1:3 r",
        "!!c 1:3 r",
        "C 1:3 R",
        "c 1:3 r c 1:5 r",
        "dev/null r",
        "/dev/null",
        "/dev/nothing-of-the-kind r",
        "/dev r",
        "/dev/nu\0ll r",
        "c ١:3 r",
      })
  void refusesEverythingElse(String text) {
    assertThatThrownBy(() -> DeviceRule.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsWrongIsNamed() {
    assertThatThrownBy(() -> DeviceRule.parse("c 4096:0 r"))
        .hasMessage("4096 is no major number of a device: give 0 to 4095");
    assertThatThrownBy(() -> DeviceRule.parse("/dev r")).hasMessage("/dev is no device");
    assertThatThrownBy(() -> DeviceRule.parse("x"))
        .hasMessageContaining("\"x\" is no device rule: give one such as \"c 1:3 rwm\"");
  }

  @Test
  void damagedRules() {
    long seed = Long.getLong("holdfast.seed", System.nanoTime());
    System.out.println("DeviceRuleTest: -Dholdfast.seed=" + seed);
    Random random = new Random(seed);
    String characters = "abcrwm!*:0123456789  \t\n/.,-x\0";
    int rules = 0;
    for (int round = 0; round < 100_000; round++) {
      StringBuilder text = new StringBuilder(random.nextBoolean() ? "!b 8:* rw" : "c 1:3 rwm");
      for (int times = random.nextInt(4); times > 0 && !text.isEmpty(); times--) {
        int at = random.nextInt(text.length());
        char other = characters.charAt(random.nextInt(characters.length()));
        switch (random.nextInt(3)) {
          case 0 -> text.setCharAt(at, other);
          case 1 -> text.insert(at, other);
          default -> text.deleteCharAt(at);
        }
      }
      DeviceRule rule;
      try {
        rule = DeviceRule.parse(text.toString());
      } catch (IllegalArgumentException expected) {
        continue;
      }
      rules++;
      assertThat(DeviceRule.parse(rule.toString())).isEqualTo(rule);
    }
    assertThat(rules).isBetween(30_000, 90_000);
  }
}
