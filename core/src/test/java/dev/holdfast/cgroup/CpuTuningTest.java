package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Idle groups, burst and clamps; no test kernel has clamps. */
class CpuTuningTest {
  @TempDir Path temp;

  private static List<AppliedLimit> apply(FakeGroup group, Limits.Builder limits, boolean best)
      throws Exception {
    return FakeGroup.apply(new CpuV2(group.directory, true), limits.build(), best);
  }

  @Test
  void anIdleGroupTakesNoWeight() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("cpu.idle", "cpu.weight")) {
      Limits.Builder both = Limits.builder().cpuIdle(true).cpuWeight(50);
      assertThatThrownBy(() -> apply(group, both, false))
          .hasMessageContaining("cannot limit cpu-weight to 50")
          .hasMessageContaining("leave one of the two out");
      assertThat(apply(group, both, true))
          .extracting(AppliedLimit::isEnforced)
          .containsExactly(false, true);
      assertThat(group.read("cpu.weight")).isEmpty();
      assertThat(apply(group, Limits.builder().cpuIdle(false).cpuWeight(50), false))
          .allMatch(AppliedLimit::isEnforced);
      assertThat(group.read("cpu.weight")).isEqualTo("50");
    }
  }

  @Test
  void aBurst() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("cpu.max", "cpu.max.burst")) {
      Limits.Builder limits = Limits.builder().cpus(0.5).cpuBurst(Duration.ofMillis(20));
      assertThat(apply(group, limits, false)).hasSize(2).allMatch(AppliedLimit::isEnforced);
      assertThat(group.read("cpu.max.burst")).isEqualTo("20000");
    }
  }

  @Test
  void timesThatNoBurstHas() {
    for (Duration time :
        List.of(Duration.ofNanos(-1000), Duration.ofDays(1), Duration.ofSeconds(Long.MAX_VALUE))) {
      assertThatThrownBy(() -> Limits.builder().cpuBurst(time))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is not a time up to 1m");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.00",
    "0.00, 0.00",
    "12.5, 12.50",
    "99.99, 99.99",
    "100, max",
    "100.00, max",
    "max, max"
  })
  void clampsAreSetAsTheKernelShowsThem(String text, String shown) throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("cpu.uclamp.min", "cpu.uclamp.max")) {
      Limits.Builder limits =
          Limits.builder().set(LimitKind.CPU_UCLAMP_MIN, text).set(LimitKind.CPU_UCLAMP_MAX, text);
      assertThat(apply(group, limits, false))
          .hasSize(2)
          .allMatch(row -> row.effective().get().equals(new LimitValue.Text(shown)));
      assertThat(group.read("cpu.uclamp.min")).isEqualTo(shown);
      assertThat(group.read("cpu.uclamp.max")).isEqualTo(shown);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "100.01",
    "101",
    "-1",
    "1.234",
    "'1.'",
    "'.5'",
    "''",
    "1e1",
    "50%",
    "'5 '",
    "unlimited"
  })
  void whatIsNoClamp(String text) {
    assertThatThrownBy(() -> Limits.builder().set(LimitKind.CPU_UCLAMP_MIN, text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not a percentage such as 12.5");
  }

  @Test
  void aKernelWithoutClampsIsToldOf() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("cpu.weight")) {
      Limits.Builder limits = Limits.builder().set(LimitKind.CPU_UCLAMP_MAX, "50");
      assertThatThrownBy(() -> apply(group, limits, false))
          .hasMessageContaining("ENOENT")
          .hasMessageContaining("use a kernel that has cpu.uclamp.max");
      assertThat(apply(group, limits, true)).noneMatch(AppliedLimit::isEnforced);
    }
  }

  /** How a number looks in the file, is how it is understood. */
  @ParameterizedTest
  @CsvSource({
    "0.00, 0.00",
    "12.50, 12.50",
    "100.00, max",
    "max, max",
    "x, x",
    "1000, 1000",
    "'', ''"
  })
  void readsClamps(String shown, String value) {
    assertThat(CpuTuning.percent(shown + "\n")).isEqualTo(new LimitValue.Text(value));
  }
}
