package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryV2Test {
  @TempDir Path temp;

  @Test
  void limitsMemoryAndImpliesNoSwap() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp).files("memory.max", "memory.swap.max", "memory.oom.group")) {
      MemoryV2 memory = new MemoryV2(group.directory);
      assertThat(memory.isPresent()).isTrue();
      assertThat(FakeGroup.apply(memory, Limits.builder().memory("64M").build(), false))
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.MEMORY, Optional.of("64M"), LimitValue.count(64 << 20), "memory.max"),
              AppliedLimit.enforced(
                  LimitKind.SWAP, Optional.empty(), LimitValue.count(0), "memory.swap.max"));
      assertThat(group.read("memory.max")).isEqualTo("67108864");
      assertThat(group.read("memory.swap.max")).isEqualTo("0");
      assertThat(group.read("memory.oom.group")).isEqualTo("1");
    }
  }

  @Test
  void setsEachFile() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .files("memory.max", "memory.high", "memory.low", "memory.min", "memory.swap.max")
            .files("memory.oom.group")) {
      Limits limits =
          Limits.builder()
              .memory("max")
              .memoryHigh("4K")
              .memoryLow("8K")
              .memoryMin("12K")
              .swap("16K")
              .oomGroup(false)
              .build();
      List<AppliedLimit> rows = FakeGroup.apply(new MemoryV2(group.directory), limits, false);
      assertThat(rows).hasSize(5).allMatch(AppliedLimit::isEnforced);
      assertThat(rows.getFirst().effective()).hasValue(LimitValue.UNLIMITED);
      assertThat(group.read("memory.max")).isEqualTo("max");
      assertThat(group.read("memory.high")).isEqualTo("4096");
      assertThat(group.read("memory.low")).isEqualTo("8192");
      assertThat(group.read("memory.min")).isEqualTo("12288");
      assertThat(group.read("memory.swap.max")).isEqualTo("16384");
      assertThat(group.read("memory.oom.group")).isEqualTo("0");
    }
  }

  @Test
  void impliedSwapThatTheKernelDoesNotCountIsNoError() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("memory.max")) {
      List<AppliedLimit> rows =
          FakeGroup.apply(
              new MemoryV2(group.directory), Limits.builder().memory("64M").build(), false);
      assertThat(rows.get(1).kind()).isEqualTo(LimitKind.SWAP);
      assertThat(rows.get(1).isEnforced()).isFalse();
      assertThat(rows.get(1).requested()).isEmpty();
    }
  }

  @Test
  void requestedSwapThatTheKernelDoesNotCountIsOne() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("memory.max")) {
      MemoryV2 memory = new MemoryV2(group.directory);
      Limits limits = Limits.builder().memory("64M").swap("1M").build();
      assertThatThrownBy(() -> FakeGroup.apply(memory, limits, false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("cannot limit swap to 1M")
          .hasMessageContaining("does not count swap");
    }
  }

  @Test
  void aValueThatDoesNotStayIsNotEnforced() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).forgetful("memory.high")) {
      MemoryV2 memory = new MemoryV2(group.directory);
      Limits limits = Limits.builder().memoryHigh("64M").build();
      assertThatThrownBy(() -> FakeGroup.apply(memory, limits, false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("memory.high reads \"\" after 67108864 was set");
      assertThat(FakeGroup.apply(memory, limits, true)).noneMatch(AppliedLimit::isEnforced);
    }
  }

  @Test
  void pagesAreRounded() {
    LimitValue wanted = LimitValue.count(5000);
    assertThat(LimitRows.same(LimitKind.MEMORY, wanted, LimitValue.count(4096))).isTrue();
    assertThat(LimitRows.same(LimitKind.PIDS, wanted, LimitValue.count(4096))).isFalse();
    assertThat(LimitRows.same(LimitKind.MEMORY, LimitValue.count(1 << 20), LimitValue.count(0)))
        .isFalse();
    assertThat(LimitRows.same(LimitKind.MEMORY, wanted, LimitValue.UNLIMITED)).isFalse();
  }

  @Test
  void readsUsage() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .with("memory.current", "4096\n")
            .with("memory.peak", "8192\n")
            .with("memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n")
            .with("memory.swap.events", "high 0\nmax 7\nfail 8\n")) {
      Usage usage = FakeGroup.usage(new MemoryV2(group.directory));
      assertThat(usage.memory())
          .isEqualTo(
              new Usage.Memory(OptionalLong.of(4096), OptionalLong.of(8192), OptionalLong.of(5)));
      assertThat(usage.trips())
          .isEqualTo(
              new Usage.Trips(
                  OptionalLong.of(3), OptionalLong.of(2), OptionalLong.of(1), OptionalLong.of(7)));
    }
  }

  @Test
  void whatIsNotThereIsAbsent() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp)) {
      assertThat(new MemoryV2(group.directory).isPresent()).isFalse();
      assertThat(FakeGroup.usage(new MemoryV2(group.directory))).isEqualTo(Usage.NONE);
    }
  }
}
