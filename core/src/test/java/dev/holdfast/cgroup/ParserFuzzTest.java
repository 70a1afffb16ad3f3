package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files of the kernel and damaged words of people: nothing is taken that is not there. */
class ParserFuzzTest {
  private static final int ROUNDS = 100_000;

  private static final List<String> STATS =
      List.of(
          "populated 1\nfrozen 0\n",
          "low 0\nhigh 12\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n",
          "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\nnr_periods 10\n"
              + "nr_throttled 3\nthrottled_usec 99\n",
          "cache 0\nrss 4096\ntotal_cache 18446744073709551615\ntotal_rss 4096\n",
          "9223372036854771712\n",
          "max\n");

  private static final List<String> DEVICES =
      List.of(
          "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n259:1 rbytes=1 wbytes=2\n7:0 \n",
          "mlx4_0 hca_handle=2 hca_object=2000\nocrdmal hca_handle=3 hca_object=max\n");

  static final List<String> STALLS =
      List.of(
          "some avg10=0.00 avg60=0.10 avg300=0.00 total=12\n"
              + "full avg10=100.00 avg60=0.00 avg300=3.21 total=34\n",
          "some avg10=99.99 avg60=10.00 avg300=5.00 total=0\n"
              + "full avg10=100.01 avg60=007.00 avg300=1.5 total=34\n",
          "some avg10=0.00 avg60=0.10 avg300=0.00 total=9223372036854775807\n");

  private static final String PERCENT = "(?:[1-9]?[0-9]\\.[0-9]{2}|100\\.00)";
  private static final Pattern STALL =
      Pattern.compile(
          "(?:some|full) avg10=P avg60=P avg300=P total=(?:0|[1-9][0-9]{0,14})"
              .replace("P", PERCENT));

  private static final List<String> RULES =
      List.of(
          "c 1:3 rwm", "!c *:* rwm", "b 8:* r", "a *:* rwm", "!b 259:0 wm", "/dev/null rw", "a");

  private static final List<String> SIZES =
      List.of("64M", "1GiB", "max", "unlimited", "1024", "9223372036854775807", "7T", "12B");
  private static final List<String> CPUS = List.of("1.5", "0.001", ".5", "max", "1000000", "2");
  private static final List<String> NAMES = List.of("job-1", "a.b", "x@y:z", "cpux.y", "_1");

  @TempDir Path temp;

  private final Damage damage = new Damage(getClass());

  private void each(List<String> texts, Consumer<String> look) {
    for (int round = 0; round < ROUNDS; round++) {
      String text = damage.of(damage.any(texts));
      try {
        look.accept(text);
      } catch (RuntimeException | Error wrong) {
        throw damage.error(round, text, wrong);
      }
    }
  }

  @Test
  void numbersByName() {
    Pattern name = Pattern.compile("[a-z_]+");
    each(
        STATS,
        text -> {
          for (MatchResult key : name.matcher(text).results().toList()) {
            OptionalLong found = FlatKeyed.value(text, key.group());
            Matcher line =
                Pattern.compile("(?:^|\n)" + key.group() + " ([^\n]*)(?:\n|\\z)").matcher(text);
            assertThat(found).isEqualTo(line.find() ? strict(line.group(1)) : OptionalLong.empty());
          }
          Counters all = Counters.flat(text);
          for (String key : all.names()) {
            assertThat("\n" + text + "\n")
                .contains("\n" + key + " " + all.get(key).getAsLong() + "\n");
          }
        });
  }

  /** A number as the kernel writes it. */
  private static OptionalLong strict(String text) {
    if (text.matches("0|[1-9][0-9]{0,18}")) {
      try {
        return OptionalLong.of(Long.parseLong(text));
      } catch (NumberFormatException tooLarge) {
        return OptionalLong.empty();
      }
    }
    return OptionalLong.empty();
  }

  @Test
  void numbersByDevice() {
    each(
        DEVICES,
        text ->
            Counters.nested(text)
                .forEach((device, counters) -> {
                  assertThat(device).matches("(?s)[^ =\n]+");
                  for (String key : counters.names()) {
                    String pair = key + "=" + counters.get(key).getAsLong();
                    assertThat(text.split("\n", -1))
                        .anyMatch(line ->
                            line.startsWith(device + " ")
                                && (line + " ").contains(" " + pair + " "));
                  }
                }));
  }

  @Test
  void stalls() {
    each(
        STALLS,
        text -> {
          Optional<PressureStall> stall = PressureStall.parse(text);
          isSound(stall.flatMap(PressureStall::some), "some", text);
          isSound(stall.flatMap(PressureStall::full), "full", text);
        });
  }

  /** What was read of a line stands there, word for word; one that is as it shall be was read. */
  static void isSound(Optional<PressureStall.Line> read, String kind, String text) {
    List<String> lines =
        Stream.of(text.split("\n", -1)).filter(line -> line.startsWith(kind + " ")).toList();
    if (read.isEmpty()) {
      assertThat(lines.size() == 1 && STALL.matcher(lines.getFirst()).matches()).isFalse();
      return;
    }
    PressureStall.Line line = read.get();
    for (double percent : List.of(line.average10(), line.average60(), line.average300())) {
      assertThat(percent).isBetween(0.0, 100.0);
    }
    assertThat(line.total()).isGreaterThanOrEqualTo(Duration.ZERO);
    String words =
        word("avg10=%.2f", line.average10())
            + word("avg60=%.2f", line.average60())
            + word("avg300=%.2f", line.average300())
            + word("total=%d", line.total().toNanos() / 1000);
    assertThat(lines).anyMatch(each -> each.matches("(?s)" + words + ".*"));
  }

  private static String word(String format, Object number) {
    return "(?=.* " + Pattern.quote(String.format(Locale.ROOT, format, number)) + "(?: |\\z))";
  }

  @Test
  void members() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp)) {
      for (int round = 0; round < ROUNDS / 20; round++) {
        String text = damage.of("1\n22\n333\n0\n4194304\n");
        write("cgroup.procs", text);
        try {
          for (long pid : Members.of(group.directory).pids()) {
            assertThat(text.lines()).anyMatch(line -> line.matches("0*" + pid));
          }
        } catch (HoldfastException expected) {
          assertThat(expected.getMessage()).contains("cgroup.procs");
        } catch (RuntimeException | Error wrong) {
          throw damage.error(round, text, wrong);
        }
      }
    }
  }

  @Test
  void deviceRules() {
    int[] read = {0};
    each(
        RULES,
        text -> {
          DeviceRule rule;
          try {
            rule = DeviceRule.parse(text);
          } catch (IllegalArgumentException refused) {
            assertThat(refused.getMessage()).isNotBlank();
            return;
          }
          read[0]++;
          assertThat(DeviceRule.parse(rule.toString())).isEqualTo(rule);
          rule.major().ifPresent(number -> assertThat(number).isBetween(0, 4095));
          rule.minor().ifPresent(number -> assertThat(number).isBetween(0, 1048575));
          assertThat(rule.access()).isNotEmpty();
        });
    assertThat(read[0]).isBetween(ROUNDS / 100, ROUNDS * 99 / 100);
  }

  @Test
  void deviceLists() {
    each(
        List.of("a *:* rwm\n", "c 1:3 rwm\nb 8:* r\nc *:5 wm\n"),
        text -> {
          DevicePolicy policy = DevicePolicy.parseList(text);
          if (policy != null && !policy.allowedByDefault()) {
            assertThat(policy.exceptions()).hasSize((int) text.strip().lines().count());
          }
        });
  }

  @Test
  void sizesAndCpus() {
    each(SIZES, text -> isSound(text, LimitText::size));
    each(CPUS, text -> isSound(text, LimitText::cpus));
    each(List.of("1", "100", "10000"), text -> isSound(text, t -> LimitText.count(t, 1, 10_000)));
  }

  private interface Reading {
    LimitValue of(String text);
  }

  private static void isSound(String text, Reading reading) {
    LimitValue value;
    try {
      value = reading.of(text);
    } catch (IllegalArgumentException refused) {
      assertThat(refused.getMessage()).contains(text);
      return;
    }
    if (value.equals(LimitValue.UNLIMITED)) {
      assertThat(text).isIn("max", "unlimited");
    } else {
      assertThat(text).matches("[0-9]*\\.?[0-9]+([KMGTkmgt]([iI][bB])?|[bB])?");
    }
  }

  @Test
  void names() {
    each(
        NAMES,
        text -> {
          try {
            GroupName.check(text);
          } catch (IllegalArgumentException refused) {
            return;
          }
          assertThat(text).matches("[A-Za-z0-9_][A-Za-z0-9_.:@-]*");
          assertThat(temp.resolve(text).normalize().getParent()).isEqualTo(temp);
        });
  }

  private void write(String file, String text) throws IOException {
    Files.write(temp.resolve(file), text.getBytes(StandardCharsets.ISO_8859_1));
  }
}
