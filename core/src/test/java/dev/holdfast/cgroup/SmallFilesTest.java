package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The grammars of small kernel files, and names. */
class SmallFilesTest {
  @TempDir Path temp;

  @Test
  void flatKeyed() {
    String text = "populated 1\nfrozen 0\n";
    assertThat(FlatKeyed.value(text, "frozen")).hasValue(0);
    assertThat(FlatKeyed.value(text, "populated")).hasValue(1);
    assertThat(FlatKeyed.value(text, "froze")).isEmpty();
    assertThat(FlatKeyed.value("oom 1\noom_kill 2", "oom_kill")).hasValue(2);
    assertThat(FlatKeyed.value("oom_kill 2\noom 1", "oom")).hasValue(1);
    assertThat(FlatKeyed.value(null, "x")).isEmpty();
    assertThat(FlatKeyed.value("x\n", "x")).isEmpty();
    assertThat(FlatKeyed.number("max\n")).isEmpty();
  }

  @Test
  void io() throws Exception {
    String stat =
        "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n259:1 rbytes=1 wbytes=2\n7:0 \n";
    try (FakeGroup group = FakeGroup.v2(temp).with("io.stat", stat)) {
      Usage.Io io = FakeGroup.usage(new IoV2(group.directory, true, temp)).io();
      assertThat(io.readBytes()).hasValue(11);
      assertThat(io.writeBytes()).hasValue(22);
    }
  }

  @Test
  void pressure() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .with(
                "cpu.pressure",
                "some avg10=0.00 avg60=0.10 avg300=0.00 total=12\n"
                    + "full avg10=0.00 avg60=0.00 avg300=0.00 total=34\n")) {
      Usage.Pressure pressure = FakeGroup.usage(new Pressure(group.directory)).pressure();
      assertThat(pressure.cpuSome()).hasValue(Duration.ofNanos(12_000));
      assertThat(pressure.memorySome()).isEmpty();
    }
  }

  @Test
  void placeOfAProcess() throws Exception {
    Hierarchy v2 = new Hierarchy(true, Path.of("/m"), "/c:d", Set.of(), "/c:d/x", Optional.empty());
    String all = "5:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c:d/x\n";
    assertThat(place(v2, all)).isEqualTo(Path.of("/m/x"));
    assertThat(place(v2, "0::/c:d\n")).isEqualTo(Path.of("/m"));
    assertThat(place(v2, "0::/c:d/..x\n")).isEqualTo(Path.of("/m/..x"));
    assertThat(place(v2, "0::/c:d/x (deleted)\n")).isNull();
    assertThat(place(v2, "0::/c:dx\n")).isNull();
    assertThat(place(v2, "0::/../x\n")).isNull();
    Hierarchy v1 =
        new Hierarchy(false, Path.of("/n"), "/", Set.of("cpuacct", "cpu"), "/a", Optional.empty());
    assertThat(place(v1, all)).isEqualTo(Path.of("/n/a"));
    assertThat(place(v1, "5:cpu:/a\n")).isNull();
    assertThat(place(v1, "")).isNull();
  }

  private static @Nullable Path place(Hierarchy hierarchy, String text) throws Exception {
    return Joining.directory(hierarchy, OwnCgroups.parse("/proc/7/cgroup", text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"job", "a.b", "_x", "1", "cpu", "cpux.y", "a:b@c-d"})
  void goodNames(String name) {
    assertThat(GroupName.check(name)).isEqualTo(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        ".a",
        "a/b",
        "/a",
        "-a",
        "a b",
        "a\n",
        "cgroup.x",
        "cpu.max",
        "memory.",
        "misc.x",
        "ü"
      })
  void badNames(String name) {
    assertThatThrownBy(() -> GroupName.check(name)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theGateClosesBehindTheLast() {
    int[] closed = {0};
    Gate gate = new Gate(() -> closed[0]++);
    assertThat(gate.enter()).isTrue();
    assertThat(gate.enter()).isTrue();
    gate.shut();
    assertThat(gate.enter()).isFalse();
    gate.leave();
    assertThat(closed[0]).isZero();
    gate.leave();
    assertThat(closed[0]).isOne();
  }
}
