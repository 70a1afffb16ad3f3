package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The controllers of a group together: which is not there, and who has the last word. */
class ControllersTest {
  private static final Map<String, Absence> ABSENCES =
      Map.of("memory", new Absence("the memory controller is away", "call it back"));
  private static final Limits LIMITS = Limits.builder().memory("64M").build();

  @TempDir Path temp;

  @Test
  void isRefusedWithMechanismReasonAndRemedy() {
    assertThatThrownBy(() ->
            new Controllers(List.of()).apply(LIMITS, new LimitRows(false, "cgroup-v2"), ABSENCES))
        .isInstanceOf(HoldfastException.class)
        .hasMessage(
            "cannot limit memory to 64M with cgroup-v2: the memory controller is away (call it"
                + " back)");
  }

  @Test
  void whatIsSetByNameIsSetLastAndIsWhatIsInEffect() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .with("cgroup.controllers", "memory pids\n")
            .files("memory.max", "memory.swap.max", "pids.max")) {
      Limits limits = Limits.builder().raw("memory.max=33554432").memory("64M").pids(7).build();
      LimitRows rows = new LimitRows(false, "cgroup-v2");
      new Controllers(List.of(group.branch)).apply(limits, rows, Map.of());
      assertThat(group.read("memory.max")).isEqualTo("33554432");
      assertThat(rows.rows())
          .filteredOn(row -> row.by().equals(Optional.of("memory.max")))
          .extracting(row -> row.kind() + " " + row.effective().orElseThrow())
          .containsExactly("MEMORY 33554432", "SET 33554432");
      assertThat(group.read("pids.max")).isEqualTo("7");
    }
  }

  @Test
  void aFileOfAControllerThatIsAbsentIsToldSo() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp).with("cgroup.controllers", "memory pids\n").files("hugetlb.2MB.max")) {
      Limits limits = Limits.builder().raw("hugetlb.2MB.max=0").build();
      Controllers controllers = new Controllers(List.of(group.branch));
      assertThatThrownBy(
              () -> controllers.apply(limits, new LimitRows(false, "cgroup-v2"), Map.of()))
          .isInstanceOf(HoldfastException.class)
          .hasMessage(
              "cannot limit set to hugetlb.2MB.max=0 with cgroup-v2: the group has no hugetlb"
                  + " controller (enable it in the group above, or have it delegated)");
      Absence above =
          new Absence(
              "/sys/fs/cgroup/a/cgroup.controllers offers only memory pids", "write +hugetlb");
      assertThatThrownBy(() ->
              controllers.apply(
                  limits, new LimitRows(false, "cgroup-v2"), Map.of("hugetlb", above)))
          .hasMessageEndingWith(
              ": /sys/fs/cgroup/a/cgroup.controllers offers only memory pids (write +hugetlb)");
      assertThat(group.read("hugetlb.2MB.max")).isEmpty();
    }
  }

  @Test
  void isUnenforcedWhenTheBestEffortIsEnough() throws Exception {
    LimitRows rows = new LimitRows(true, "cgroup-v2");
    new Controllers(List.of()).apply(LIMITS, rows, ABSENCES);
    AppliedLimit memory = rows.rows().getFirst();
    assertThat(memory.isEnforced()).isFalse();
    assertThat(memory.effective()).isEqualTo(Optional.empty());
    assertThat(memory.reason()).contains("the memory controller is away");
  }
}
