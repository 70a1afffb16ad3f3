package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RawTest {
  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cgroup.procs",
        "cgroup.threads",
        "tasks",
        "cgroup.kill",
        "cgroup.type",
        "cgroup.freeze",
        "freezer.state",
        "cgroup.subtree_control",
        "cgroup.event_control",
        "cgroup.clone_children",
        "notify_on_release",
        "release_agent",
        "memory.reclaim",
        "memory.force_empty",
        "cgroup.new"
      })
  void whatActsIsNoLimit(String file) {
    assertThatThrownBy(() -> Limits.builder().raw(file + "=0"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"" + file + "\" is not a limit but acts");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cgroup.max.depth=1",
        "cgroup.max.descendants=max",
        "cgroup.pressure=0",
        "memory.max=64M"
      })
  void limitsOfTheCoreAreLimits(String assignment) {
    assertThat(Limits.builder().raw(assignment).build().all(LimitKind.SET)).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "memory.max|64M|67108864|true",
        "memory.max|5000|4096|true",
        "memory.max|max|max|true",
        "memory.max|64M|max|false",
        "memory.max|64M|33554432|false",
        "memory.limit_in_bytes|-1|9223372036854771712|true",
        "memory.swappiness|10|60|false",
        "pids.max|0012|12|true",
        "pids.max|12|13|false",
        "net_cls.classid|0x100001|1048577|true",
        "hugetlb.2MB.max|3000000|2097152|true",
        "hugetlb.2MB.max|5000000|2097152|false",
        "cpuset.cpus|0,1|0-1|true",
        "cpuset.cpus|0-1|0|false",
        "cpuset.cpus.partition|root|root invalid (no cpus)|false",
        "cpuset.cpus.partition|root|member|false",
        "cpu.uclamp.min|50|50.00|true",
        "cpu.max|50000|50000 100000|true",
        "io.weight|200|default 200|true",
        "cpu.shares|1|2|false",
        "cpu.rt_runtime_us|-1|-1|true",
      })
  void whatIsShownIsCompared(String file, String written, String shown, boolean holds) {
    assertThat(RawValue.holds(file, written, shown)).isEqualTo(holds);
  }

  @Test
  void whatDoesNotStayIsAnError() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "memory").with("memory.swappiness", "60").forgetful("memory.other")) {
      Raw raw = new Raw(List.of(group.branch));
      Limits limits = Limits.builder().raw("memory.swappiness=1").build();
      assertThatThrownBy(() -> FakeGroup.apply(raw, limits, false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("memory.swappiness reads \"10\" after 1 was set");
      assertThat(FakeGroup.apply(raw, limits, true))
          .singleElement()
          .matches(row -> !row.isEnforced());
    }
  }

  @Test
  void eachLineIsAWriteOfItsOwn() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp).with("cgroup.controllers", "cpu io\n").files("io.max")) {
      Limits limits = Limits.builder().raw("io.max=8:0 rbps=4096\n8:16 rbps=1\n\n").build();
      List<AppliedLimit> rows =
          FakeGroup.apply(new Raw(List.of(group.branch)), limits, /* bestEffort= */ false);
      assertThat(rows).singleElement().matches(AppliedLimit::isEnforced);
      // The second write went over the first, from the beginning of the file.
      assertThat(group.read("io.max")).isEqualTo("8:16 rbps=1" + "96");
    }
  }
}
