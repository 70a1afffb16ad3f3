package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.linux.Faults;
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
    try (FakeGroup group = FakeGroup.v2(temp).files("memory.max", "memory.swap.max")) {
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
    }
  }

  @Test
  void swapThatWasAskedForIsNotReset() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("memory.max", "memory.swap.max")) {
      Earlier earlier = Earlier.NONE.and(Limits.builder().memory("64M").swap("1M").build());
      assertThat(
              FakeGroup.apply(
                  new MemoryV2(group.directory),
                  Limits.builder().memory("32M").build(),
                  false,
                  earlier))
          .singleElement()
          .matches(row -> row.kind() == LimitKind.MEMORY);
      assertThat(group.read("memory.swap.max")).isEmpty();
    }
  }

  @Test
  void whatIsRaisedIsWrittenFirst() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp).with("memory.max", "67108864\n").with("memory.swap.max", "4096\n")) {
      assertThat(order(group, "320M", 0)).containsExactly("memory.max", "memory.swap.max");
      group.with("memory.max", "67108864\n");
      assertThat(order(group, "max", 0)).containsExactly("memory.max", "memory.swap.max");
      group.with("memory.max", "67108864\n");
      assertThat(order(group, "16M", 0)).containsExactly("memory.swap.max", "memory.max");
      group.with("memory.max", "67108864\n");
      assertThat(order(group, "16M", 1 << 30)).containsExactly("memory.swap.max", "memory.max");
      group.with("memory.max", "max\n");
      assertThat(order(group, "16M", 0)).containsExactly("memory.swap.max", "memory.max");
    }
  }

  private static List<String> order(FakeGroup group, String memory, long swap) throws Exception {
    try (Faults faults = Faults.watch()) {
      // A folder keeps what was longer: only the order is looked at.
      FakeGroup.apply(
          new MemoryV2(group.directory),
          Limits.builder().memory(memory).swap(swap).build(),
          true,
          Earlier.NONE.and(Limits.NONE));
      return faults.writtenFiles();
    }
  }

  @Test
  void theOomGroupIsSetOnceUnlessItIsAskedFor() throws Exception {
    Earlier later = Earlier.NONE.and(Limits.NONE);
    Limits no = Limits.builder().oomGroup(false).build();
    try (FakeGroup group = FakeGroup.v2(temp).files("memory.oom.group")) {
      MemoryOomGroup oomGroup = new MemoryOomGroup(group.directory);
      assertThat(FakeGroup.apply(oomGroup, Limits.NONE, false)).isEmpty();
      assertThat(group.read("memory.oom.group")).isEqualTo("1");
      FakeGroup.apply(oomGroup, no, false, later);
      assertThat(group.read("memory.oom.group")).isEqualTo("0");
      FakeGroup.apply(oomGroup, Limits.builder().memory("64M").build(), false, later);
      assertThat(group.read("memory.oom.group")).isEqualTo("0");
    }
    try (FakeGroup group = FakeGroup.v2(temp)) {
      java.nio.file.Files.delete(temp.resolve("memory.oom.group"));
      java.nio.file.Files.createDirectory(temp.resolve("memory.oom.group")); // EISDIR
      MemoryOomGroup oomGroup = new MemoryOomGroup(group.directory);
      assertThat(FakeGroup.apply(oomGroup, Limits.NONE, false))
          .singleElement()
          .matches(row -> row.kind() == LimitKind.OOM_GROUP && !row.isEnforced());
      assertThatThrownBy(() -> FakeGroup.apply(oomGroup, no, false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("cannot limit oom-group to no")
          .hasMessageContaining("EISDIR");
    }
  }

  @Test
  void setsEachFile() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .files("memory.max", "memory.high", "memory.low", "memory.min", "memory.swap.max")) {
      Limits limits =
          Limits.builder()
              .memory("max")
              .memoryHigh("4K")
              .memoryLow("8K")
              .memoryMin("12K")
              .swap("16K")
              .build();
      List<AppliedLimit> rows = FakeGroup.apply(new MemoryV2(group.directory), limits, false);
      assertThat(rows).hasSize(5).allMatch(AppliedLimit::isEnforced);
      assertThat(rows.getFirst().effective()).hasValue(LimitValue.UNLIMITED);
      assertThat(group.read("memory.max")).isEqualTo("max");
      assertThat(group.read("memory.high")).isEqualTo("4096");
      assertThat(group.read("memory.low")).isEqualTo("8192");
      assertThat(group.read("memory.min")).isEqualTo("12288");
      assertThat(group.read("memory.swap.max")).isEqualTo("16384");
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
