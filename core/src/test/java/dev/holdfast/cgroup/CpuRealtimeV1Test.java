package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuRealtimeV1Test {
  private static final String RUNTIME = "cpu.rt_runtime_us";
  private static final String PERIOD = "cpu.rt_period_us";

  @TempDir Path temp;

  private static AppliedLimit apply(FakeGroup group, Limits limits) throws Exception {
    return FakeGroup.apply(new CpuV1(group.directory), limits, false).getFirst();
  }

  @Test
  void runtimeAndPeriod() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpu").files(RUNTIME, PERIOD)) {
      AppliedLimit row = apply(group, Limits.builder().cpuRealtime(5000, 10000).build());
      assertThat(group.read(RUNTIME) + " of " + group.read(PERIOD)).isEqualTo("5000 of 10000");
      assertThat(row.effective()).hasValue(new LimitValue.Bandwidth(5000, 10000));
    }
  }

  @Test
  void asMuchAsThereIs() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpu").files(RUNTIME, PERIOD)) {
      AppliedLimit row = apply(group, Limits.builder().cpuRealtime(-1, 10000).build());
      assertThat(group.read(RUNTIME)).isEqualTo("-1");
      assertThat(row.effective().orElseThrow()).hasToString("max 10000");
    }
  }

  @Test
  void aPeriodAloneKeepsTheRuntime() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpu").with(RUNTIME, "4000\n").files(PERIOD)) {
      AppliedLimit row = apply(group, Limits.builder().cpuRealtimePeriod(20000).build());
      assertThat(group.read(RUNTIME)).isEqualTo("4000\n");
      assertThat(group.read(PERIOD)).isEqualTo("20000");
      assertThat(row.requested()).hasValue("- 20000");
    }
  }

  @Test
  void withoutRealtimeGroups() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpu")) {
      assertThatThrownBy(() -> apply(group, Limits.builder().cpuRealtime(1, 2).build()))
          .hasMessageContaining("use a kernel with CONFIG_RT_GROUP_SCHED");
    }
  }
}
