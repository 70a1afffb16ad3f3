package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Settings that no test kernel lets anybody feel. */
class RareSettingsTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({
    "CPU_UCLAMP_MIN, 12.5, cpu.uclamp.min, 12.50",
    "CPU_UCLAMP_MAX, 100, cpu.uclamp.max, max",
    "CPU_UCLAMP_MAX, max, cpu.uclamp.max, max"
  })
  void clampsAreTheSameOnBoth(LimitKind kind, String text, String file, String written)
      throws Exception {
    Limits limits = Limits.builder().set(kind, text).build();
    for (boolean unified : new boolean[] {true, false}) {
      try (FakeGroup group =
          unified ? FakeGroup.v2(temp).files(file) : FakeGroup.v1(temp, "cpu").files(file)) {
        Controller cpu = unified ? new CpuV2(group.directory, true) : new CpuV1(group.directory);
        AppliedLimit row = FakeGroup.apply(cpu, limits, false).getFirst();
        assertThat(row.effective()).hasValue(new LimitValue.Text(written));
        assertThat(row.by()).hasValue(file);
        assertThat(group.read(file)).isEqualTo(written);
      }
    }
  }

  @Test
  void compressedSwap() throws Exception {
    String file = "memory.zswap.max";
    try (FakeGroup group = FakeGroup.v2(temp).files(file, "memory.oom.group")) {
      Limits limits = Limits.builder().zswap("64M").build();
      assertThat(FakeGroup.apply(new MemoryV2(group.directory), limits, false).getFirst().by())
          .hasValue(file);
      assertThat(group.read(file)).isEqualTo("67108864");
    }
  }

  @Test
  void noneOfCompressedSwap() throws Exception {
    String file = "memory.zswap.max";
    try (FakeGroup group = FakeGroup.v2(temp).files(file, "memory.oom.group")) {
      Limits limits = Limits.builder().zswap(0).build();
      assertThat(FakeGroup.apply(new MemoryV2(group.directory), limits, false).getFirst())
          .matches(AppliedLimit::isEnforced);
      assertThat(group.read(file)).isEqualTo("0");
    }
    assertThatThrownBy(() -> Limits.builder().zswap(-1))
        .hasMessageContaining("-1 bytes of compressed swap cannot be");
  }

  @Test
  void swappinessIsV1s() throws Exception {
    String file = "memory.swappiness";
    Limits limits = Limits.builder().swappiness(10).build();
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(file, "memory.oom.group")) {
      assertThat(FakeGroup.apply(new MemoryV1(group.branch), limits, false).getFirst().by())
          .hasValue(file);
      assertThat(group.read(file)).isEqualTo("10");
      assertThatThrownBy(() -> FakeGroup.apply(new MemoryV2(group.directory), limits, false))
          .hasMessageContaining("v2 has nothing like swappiness");
    }
  }

  @Test
  void waitingForMemoryIsReadBack() throws Exception {
    String file = "memory.oom_control";
    Limits limits = Limits.builder().oomKillDisable(true).build();
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(file)) {
      // The kernel shows more than what was written to it, which a file does not.
      assertThatThrownBy(() -> FakeGroup.apply(new MemoryV1(group.branch), limits, false))
          .hasMessageContaining("memory.oom_control reads \"1\" after 1 was set");
    }
  }

  @Test
  void partitions() throws Exception {
    String file = "cpuset.cpus.partition";
    Limits limits = Limits.builder().cpusetPartition("root").build();
    try (FakeGroup group = FakeGroup.v2(temp).files(file)) {
      assertThat(
              FakeGroup.apply(new Cpuset(group.directory, true), limits, false)
                  .getFirst()
                  .effective())
          .hasValue(new LimitValue.Text("root"));
      assertThat(group.read(file)).isEqualTo("root");
    }
  }
}
