package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryV1Test {
  private static final String LIMIT = "memory.limit_in_bytes";
  private static final String MEMSW = "memory.memsw.limit_in_bytes";
  @TempDir Path temp;

  private static Limits limits(String memory, String swap) {
    return Limits.builder().memory(memory).swap(swap).build();
  }

  @Test
  void countsMemoryAndSwapTogether() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(LIMIT, MEMSW)) {
      assertThat(FakeGroup.apply(new MemoryV1(group.branch), limits("64M", "1M"), false))
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.MEMORY, Optional.of("64M"), LimitValue.count(64 << 20), LIMIT),
              AppliedLimit.enforced(
                  LimitKind.SWAP, Optional.of("1M"), LimitValue.count(1 << 20), MEMSW));
      assertThat(group.read(MEMSW)).isEqualTo(Long.toString(65 << 20));
    }
  }

  @Test
  void theKernelsOwnMemoryIsLimitedOnlyIfItReadsBack() throws Exception {
    String file = "memory.kmem.limit_in_bytes";
    Limits limits = Limits.builder().memoryKernel("1M").build();
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(file)) {
      AppliedLimit row = FakeGroup.apply(new MemoryV1(group.branch), limits, false).getFirst();
      assertThat(row.effective()).hasValue(LimitValue.count(1 << 20));
    }
    Files.delete(temp.resolve(file));
    try (FakeGroup group = FakeGroup.v1(temp, "memory").forgetful(file)) {
      MemoryV1 memory = new MemoryV1(group.branch);
      assertThatThrownBy(() -> FakeGroup.apply(memory, limits, false))
          .hasMessageContaining("this kernel does not limit its own memory");
    }
  }

  @Test
  void impliesNoSwap() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(LIMIT, MEMSW)) {
      List<AppliedLimit> rows =
          FakeGroup.apply(
              new MemoryV1(group.branch), Limits.builder().memory("64M").build(), false);
      assertThat(rows.get(1).effective()).hasValue(LimitValue.count(0));
      assertThat(rows.get(1).requested()).isEmpty();
      assertThat(group.read(MEMSW)).isEqualTo(group.read(LIMIT)).isEqualTo("67108864");
    }
  }

  @Test
  void unlimitedSwapIsMinusOne() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(LIMIT, MEMSW)) {
      List<AppliedLimit> rows =
          FakeGroup.apply(new MemoryV1(group.branch), limits("64M", "max"), false);
      assertThat(rows.get(1).effective()).hasValue(LimitValue.UNLIMITED);
      assertThat(group.read(MEMSW)).isEqualTo("-1");
    }
  }

  @Test
  void swapThatWasAskedForMovesAlong() throws Exception {
    Earlier earlier = Earlier.NONE.and(limits("64M", "1M"));
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(LIMIT, MEMSW)) {
      List<AppliedLimit> rows =
          FakeGroup.apply(
              new MemoryV1(group.branch), Limits.builder().memory("32M").build(), false, earlier);
      assertThat(group.read(MEMSW)).isEqualTo(Long.toString(33 << 20));
      assertThat(rows.get(1).requested()).hasValue("1M");
    }
  }

  @Test
  void swapThatWasSetByItsFileIsLeftAlone() throws Exception {
    Earlier earlier = Earlier.NONE.and(Limits.builder().raw(MEMSW + "=1G").build());
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(LIMIT, MEMSW)) {
      assertThat(
              FakeGroup.apply(
                  new MemoryV1(group.branch),
                  Limits.builder().memory("32M").build(),
                  false,
                  earlier))
          .hasSize(1);
      assertThat(group.read(MEMSW)).isEmpty();
    }
  }

  @Test
  void swapAloneAddsToTheLimitThatIsThere() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "memory").with(LIMIT, "4194304\n").files(MEMSW)) {
      List<AppliedLimit> rows =
          FakeGroup.apply(new MemoryV1(group.branch), Limits.builder().swap("1M").build(), false);
      assertThat(rows).singleElement().matches(AppliedLimit::isEnforced);
      assertThat(group.read(MEMSW)).isEqualTo(Long.toString(5 << 20));
    }
  }

  @Test
  void swapWithoutAMemoryLimitIsAnError() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "memory").with(LIMIT, "9223372036854771712\n").files(MEMSW)) {
      MemoryV1 memory = new MemoryV1(group.branch);
      assertThatThrownBy(() -> FakeGroup.apply(memory, Limits.builder().swap("1M").build(), false))
          .hasMessageContaining("counts memory and swap together");
    }
  }

  @Test
  void withoutSwapAccountingAnImpliedLimitIsReportedAndARequestedOneAnError() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files(LIMIT)) {
      MemoryV1 memory = new MemoryV1(group.branch);
      assertThat(FakeGroup.apply(memory, Limits.builder().memory("64M").build(), false).get(1))
          .matches(row -> !row.isEnforced() && row.requested().isEmpty());
      assertThatThrownBy(() -> FakeGroup.apply(memory, limits("64M", "1M"), false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("swapaccount=1");
      assertThat(FakeGroup.apply(memory, limits("64M", "1M"), true).get(1).isEnforced()).isFalse();
    }
  }

  @Test
  void theSoftLimitServesMemoryLow() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "memory").files("memory.soft_limit_in_bytes")) {
      assertThat(
              FakeGroup.apply(
                  new MemoryV1(group.branch), Limits.builder().memoryLow("4K").build(), false))
          .singleElement()
          .matches(row -> row.by().get().equals("memory.soft_limit_in_bytes"));
    }
  }

  @Test
  void noLimitReadsAsTheLargestNumberOfPages() {
    assertThat(MemoryV1.parse("9223372036854771712\n")).isEqualTo(LimitValue.UNLIMITED);
    assertThat(MemoryV1.parse("9223372036854710272\n")).isEqualTo(LimitValue.UNLIMITED); // 64 KiB
    assertThat(MemoryV1.parse("-1")).isEqualTo(LimitValue.UNLIMITED);
    assertThat(MemoryV1.parse("4096\n")).isEqualTo(LimitValue.count(4096));
    assertThat(MemoryV1.parse("x")).isNull();
  }

  @Test
  void sumsOomKillsOverNestedGroups() throws Exception {
    String killed = "oom_kill_disable 0\nunder_oom 0\noom_kill ";
    try (FakeGroup group =
        FakeGroup.v1(temp, "memory")
            .with("memory.oom_control", killed + "1\n")
            .with("memory.usage_in_bytes", "4096\n")
            .with("memory.max_usage_in_bytes", "8192\n")
            .with("memory.failcnt", "3\n")) {
      Files.createDirectories(temp.resolve("a/b"));
      Files.writeString(temp.resolve("a/memory.oom_control"), killed + "2\n");
      Files.writeString(temp.resolve("a/b/memory.oom_control"), killed + "4\n");
      Usage usage = FakeGroup.usage(new MemoryV1(group.branch));
      assertThat(usage.memory())
          .isEqualTo(
              new Usage.Memory(OptionalLong.of(4096), OptionalLong.of(8192), OptionalLong.of(7)));
      assertThat(usage.trips().memoryMax()).hasValue(3);
      assertThat(usage.trips().swapMax()).isEmpty();
      group.branch.depart("memory.oom_control", OptionalLong.of(8));
      assertThat(FakeGroup.usage(new MemoryV1(group.branch)).memory().oomKills()).hasValue(15);
      group.branch.depart("memory.oom_control", OptionalLong.empty());
      group.branch.depart("memory.oom_control", OptionalLong.of(1));
      assertThat(FakeGroup.usage(new MemoryV1(group.branch)).memory().oomKills()).isEmpty();
    }
  }

  @Test
  void aTripThatRecentKernelsDoNotCountIsUnknown() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "memory")
            .with("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n")
            .with(LIMIT, "67108864\n")
            .with(MEMSW, "67108864\n")
            .with("memory.failcnt", "0\n")
            .with("memory.memsw.failcnt", "0\n")
            .with("memory.memsw.max_usage_in_bytes", "67108864\n")) {
      MemoryV1 memory = new MemoryV1(group.branch);
      assertThat(FakeGroup.usage(memory).trips().memoryMax()).isEmpty();
      assertThat(FakeGroup.usage(memory).trips().swapMax()).isEmpty();
      group.with("memory.memsw.max_usage_in_bytes", "4096\n");
      assertThat(FakeGroup.usage(memory).trips().memoryMax()).hasValue(0);
      group.with("memory.memsw.failcnt", "2\n");
      assertThat(FakeGroup.usage(memory).trips().memoryMax()).hasValue(2);
    }
  }
}
