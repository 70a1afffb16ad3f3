package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged words of people and damaged files of v1 and {@code /proc}. */
class LimitFuzzTest {
  private static final int ROUNDS = 15_000;

  @TempDir Path temp;
  private final Damage damage = new Damage(getClass());

  /** What is taken is of this form, and prints to what is taken for the same. */
  private void words(List<String> texts, String form, Function<String, LimitValue> reading) {
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String text = round < texts.size() ? texts.get(round) : damage.lookalike(texts);
      try {
        LimitValue value;
        try {
          value = reading.apply(text);
        } catch (IllegalArgumentException refused) {
          assertThat(refused.getMessage()).isNotBlank();
          continue;
        }
        read++;
        assertThat(text).matches(form);
        assertThat(value.toString()).isNotBlank().isEqualTo(value.toString().strip());
        assertThat(again(value, reading)).isEqualTo(value);
      } catch (RuntimeException | Error wrong) {
        throw damage.error(round, text, wrong);
      }
    }
    assertThat(read).isBetween(ROUNDS / 100, ROUNDS * 99 / 100);
  }

  private static LimitValue again(LimitValue value, Function<String, LimitValue> reading) {
    return reading.apply(
        value instanceof LimitValue.Cpus(double cpus)
            ? new BigDecimal(Double.toString(cpus)).toPlainString()
            : value.toString());
  }

  @Test
  void sizes() {
    words(
        List.of("64M", "1GiB", "max", "unlimited", "9223372036854775807", "7T", "12B", "64Kib"),
        "max|unlimited|[0-9]{1,19}([KMGTkmgt]([iI][bB])?|[bB])?",
        LimitText::size);
  }

  @Test
  void cpus() {
    words(
        List.of("1.5", "0.001", ".5", "max", "1000000", "2"),
        "max|unlimited|[0-9]{0,7}(\\.[0-9]{1,9})?",
        LimitText::cpus);
  }

  @Test
  void counts() {
    words(List.of("1", "100", "10000"), "[0-9]{1,18}", text -> LimitText.count(text, 1, 10_000));
  }

  @Test
  void truths() {
    words(List.of("yes", "no", "1", "0"), "yes|no|0|1", LimitSyntax::truth);
  }

  @Test
  void times() {
    words(
        List.of("20ms", "500us", "1m", "1s", "60000000us"),
        "[0-9]{1,9}(us|ms|s|m)",
        text -> {
          LimitValue value = LimitSyntax.micros(text);
          assertThat(((LimitValue.Count) value).value()).isBetween(0L, 60_000_000L);
          assertThat(LimitSyntax.micros(value + "us")).isEqualTo(value);
          return new LimitValue.Text(value + "us");
        });
  }

  @Test
  void percentages() {
    words(
        List.of("12.5", "100", "0", "99.99", "max"),
        "max|[0-9]{1,3}(\\.[0-9]{1,2})?",
        text -> {
          LimitValue value = LimitSyntax.percent(text);
          assertThat(value.toString()).matches("max|[0-9]{1,2}\\.[0-9]{2}");
          return value;
        });
  }

  @Test
  void realtime() {
    words(
        List.of("950000/1000000", "0/1", "1/1", "5/60000000"),
        "[0-9]{1,18}/[0-9]{1,18}",
        text -> {
          LimitValue.Bandwidth value = (LimitValue.Bandwidth) LimitSyntax.realtime(text);
          assertThat(value.quota()).isBetween(0L, value.period());
          assertThat(value.period()).isBetween(1L, 60_000_000L);
          return new LimitValue.Text(value.quota() + "/" + value.period());
        });
  }

  @Test
  void sets() {
    words(List.of("0-3,7", "0", "1,2,3"), "[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", LimitSyntax::ids);
    words(List.of("member", "root", "isolated"), "member|root|isolated", LimitSyntax::partition);
  }

  /** What the kernel would not show, is not taken. */
  @Test
  void quotas() {
    List<String> texts = List.of("150000 100000\n", "max 100000\n", "1000 1000000\n", "max");
    for (int round = 0; round < ROUNDS; round++) {
      String text = damage.lookalike(texts);
      try {
        LimitValue value = CpuQuota.parse(text);
        if (value != null) {
          assertThat(text.strip()).matches("max|(max|[1-9][0-9]*) [1-9][0-9]*");
          assertThat(value.equals(LimitValue.UNLIMITED)).isEqualTo(text.strip().startsWith("max"));
          if (value instanceof LimitValue.Cpus(double cpus)) {
            assertThat(cpus).isPositive().isFinite();
          }
        }
      } catch (RuntimeException | Error wrong) {
        throw damage.error(round, text, wrong);
      }
    }
  }

  @Test
  void controllersOfTheKernel() throws Exception {
    String whole =
        "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t0\t20\t1\ncpu\t3\t20\t1\n"
            + "memory\t0\t20\t0\nblkio\t0\t1\t1\n";
    for (int round = 0; round < ROUNDS / 15; round++) {
      String text = damage.lookalike(List.of(whole));
      try {
        Files.writeString(temp.resolve("cgroups"), text);
        KernelControllers controllers = KernelControllers.read(temp);
        for (String name : List.of("cpuset", "cpu", "memory", "io", "rdma")) {
          Absence absence = controllers.absence(name, Optional.empty());
          assertThat(absence.reason()).contains(name);
          assertThat(absence.remedy()).isNotBlank();
          String legacy = name.equals("io") ? "blkio" : name;
          if (absence.reason().contains("cgroup_disable")) {
            assertThat(text.lines()).anyMatch(line -> line.matches(legacy + "\\s.*\\s0\\s*"));
          }
        }
      } catch (RuntimeException | Error wrong) {
        throw damage.error(round, text, wrong);
      }
    }
  }

  @Test
  void prioritiesByInterface() throws Exception {
    Path file = temp.resolve("net_prio.ifpriomap");
    try (FakeGroup group = FakeGroup.v1(temp, "net_prio")) {
      NetPrioV1 priorities = new NetPrioV1(group.directory);
      for (int round = 0; round < ROUNDS / 15; round++) {
        String text = damage.lookalike(List.of("lo 5\neth0 5\nwlan0 5\n", "lo 0\n"));
        try {
          Files.writeString(file, text);
          for (Limits limits :
              List.of(
                  Limits.builder().netPriority(5).build(),
                  Limits.builder().netPriority("eth0", 5).build())) {
            for (AppliedLimit row : FakeGroup.apply(priorities, limits, true)) {
              // Each write goes over the beginning of the file, which must then be believed.
              if (row.isEnforced()) {
                assertThat(row.effective()).hasValue(LimitValue.count(5));
                assertThat(Files.readString(file)).contains(" 5");
              }
            }
          }
        } catch (RuntimeException | Error wrong) {
          throw damage.error(round, text, wrong);
        }
      }
    }
  }

  /** Never a place that the mount does not show, nor one that was not named. */
  @Test
  void placesOfProcesses() throws Exception {
    Hierarchy unified = hierarchy(true, Set.of(), "/top");
    Hierarchy legacy = hierarchy(false, Set.of("cpu", "cpuacct"), "/");
    String whole = "5:cpu,cpuacct:/a/b\n3:memory:/m\n1:name=systemd:/b\n0::/top/c:d/e\n";
    int found = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String text = damage.of(whole);
      try {
        List<OwnCgroups.Entry> places = OwnCgroups.parse("/proc/7/cgroup", text);
        for (Hierarchy hierarchy : List.of(unified, legacy)) {
          Path place = Joining.directory(hierarchy, places);
          if (place != null) {
            found++;
            assertThat(place).startsWithRaw(hierarchy.mount()).isEqualTo(place.normalize());
            assertThat(text).contains(":" + bytes(hierarchy.pathOf(place)));
          }
        }
      } catch (HoldfastException expected) {
        assertThat(expected.getMessage()).contains("/proc/7/cgroup line ");
      } catch (RuntimeException | Error wrong) {
        throw damage.error(round, text, wrong);
      }
    }
    assertThat(found).isBetween(ROUNDS / 100, ROUNDS * 2 - ROUNDS / 100);
  }

  /** As the library reads it. */
  private static String bytes(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  private static Hierarchy hierarchy(boolean unified, Set<String> controllers, String root) {
    return new Hierarchy(unified, Path.of("/m"), root, controllers, root, Optional.empty());
  }
}
