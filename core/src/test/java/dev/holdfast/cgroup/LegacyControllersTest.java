package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What only v1 has, and what it lacks, on folders that pose as groups. */
class LegacyControllersTest {
  @TempDir Path temp;

  /** Behind what is written the file goes on as the kernel shows it then. */
  @ParameterizedTest
  @CsvSource({"true, 1", "false, 0"})
  void oomControl(boolean waits, String written) throws Exception {
    String shown = "\noom_kill_disable " + written + "\nunder_oom 0\noom_kill 0\n";
    try (FakeGroup group = FakeGroup.v1(temp, "memory").with("memory.oom_control", "?" + shown)) {
      Limits limits = Limits.builder().oomKillDisable(waits).build();
      assertThat(FakeGroup.apply(new MemoryV1(group.branch), limits, false))
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.OOM_KILL_DISABLE,
                  Optional.of(waits ? "yes" : "no"),
                  LimitValue.count(waits ? 1 : 0),
                  "memory.oom_control"));
      assertThat(group.read("memory.oom_control")).isEqualTo(written + shown);
      // Who waits for memory is not to be killed together with the others.
      assertThat(limits.oomGroup()).isEqualTo(!waits);
    }
  }

  @Test
  void anOomControlThatDoesNotChangeIsTold() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "memory").with("memory.oom_control", "?\noom_kill_disable 0\n")) {
      Limits limits = Limits.builder().oomKillDisable(true).build();
      assertThatThrownBy(() -> FakeGroup.apply(new MemoryV1(group.branch), limits, false))
          .hasMessageContaining("cannot limit oom-kill-disable to yes");
    }
  }

  @Test
  void swappinessThatIsNotThere() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "memory")) {
      Limits limits = Limits.builder().swappiness(10).build();
      assertThatThrownBy(() -> FakeGroup.apply(new MemoryV1(group.branch), limits, false))
          .hasMessageContaining("ENOENT")
          .hasMessageContaining("use a kernel that has memory.swappiness");
    }
  }

  @Test
  void realtimeNeedsAKernelThatSchedulesItByGroups() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpu").files("cpu.shares")) {
      Limits limits = Limits.builder().set(LimitKind.CPU_REALTIME, "5/10").build();
      assertThatThrownBy(() -> FakeGroup.apply(new CpuV1(group.directory), limits, false))
          .hasMessageContaining("there is no cpu.rt_runtime_us")
          .hasMessageContaining("CONFIG_RT_GROUP_SCHED");
    }
    try (FakeGroup group =
        FakeGroup.v1(temp, "cpu").forgetful("cpu.rt_runtime_us").files("cpu.rt_period_us")) {
      Limits limits = Limits.builder().set(LimitKind.CPU_REALTIME, "5/10").build();
      assertThatThrownBy(() -> FakeGroup.apply(new CpuV1(group.directory), limits, false))
          .hasMessageContaining("cpu.rt_runtime_us reads \"\"");
    }
  }

  @Test
  void classesOfPackets() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "net_cls").files("net_cls.classid")) {
      Limits limits = Limits.builder().netClass(4_294_967_295L).build();
      assertThat(FakeGroup.apply(new NetClsV1(group.directory), limits, false))
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.NET_CLASS,
                  Optional.of("4294967295"),
                  LimitValue.count(4_294_967_295L),
                  "net_cls.classid"));
      assertThat(group.read("net_cls.classid")).isEqualTo("4294967295");
    }
    try (FakeGroup group = FakeGroup.v1(temp.resolve("."), "net_cls")) {
      Files.delete(temp.resolve("net_cls.classid"));
      group.forgetful("net_cls.classid");
      Limits limits = Limits.builder().netClass(7).build();
      assertThatThrownBy(() -> FakeGroup.apply(new NetClsV1(group.directory), limits, false))
          .hasMessageContaining("net_cls.classid reads \"\" after 7 was set");
    }
  }

  @Test
  void cpuTimeThatIsNotGivenIsAbsent() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpuacct")) {
      CpuacctV1 cpuacct = new CpuacctV1(group.directory);
      assertThat(FakeGroup.usage(cpuacct)).isEqualTo(Usage.NONE);
      group.with("cpuacct.usage", "-1\n").with("cpuacct.stat", "user 9223372036854775807\n");
      assertThat(FakeGroup.usage(cpuacct)).isEqualTo(Usage.NONE);
      // One of two alone is not mixed with ticks.
      group.with("cpuacct.usage_user", "25\n").with("cpuacct.stat", "user 2\nsystem 1\n");
      assertThat(FakeGroup.usage(cpuacct).cpu().user()).hasValue(Duration.ofMillis(20));
      assertThat(FakeGroup.usage(cpuacct).cpu().system()).hasValue(Duration.ofMillis(10));
    }
  }

  /** There is nothing to limit: only to be in. */
  @Test
  void perfEventIsJoined() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "perf_event").files("cgroup.procs")) {
      Joining.move(List.of(group.branch), 4711, null);
      assertThat(group.read("cgroup.procs")).isEqualTo("4711");
      assertThat(group.branch.kernelPath()).isEqualTo("/");
      assertThat(new Controllers(List.of(group.branch)).usage()).isEqualTo(Usage.NONE);
    }
  }
}
