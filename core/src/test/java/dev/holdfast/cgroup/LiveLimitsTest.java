package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.WallTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits and what is counted against them, in a group of the subtree that is ours here. */
@EveryKernel
@Timeout(120)
class LiveLimitsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** tail keeps what it reads: 100 MB of it. */
  private static final String HOG = "head -c 100m /dev/zero | tail -c 100m";

  private static final long MIB = 1 << 20;

  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = groups.make();
  }

  static AppliedLimit row(List<AppliedLimit> rows, LimitKind kind) {
    return rows.stream().filter(row -> row.kind() == kind).findFirst().orElseThrow();
  }

  @Test
  @Needs({Feature.MEMORY, Feature.CPU, Feature.PIDS})
  void readsBackWhatItSets() throws Exception {
    boolean v1 = LivePlaces.isV1(group, "memory");
    List<AppliedLimit> rows =
        group.apply(
            Limits.builder()
                .memory("64M")
                .memoryLow("16M")
                .cpus(0.5)
                .cpuWeight(50)
                .pids(77)
                .build(),
            false);
    assertThat(row(rows, LimitKind.MEMORY))
        .isEqualTo(
            AppliedLimit.enforced(
                LimitKind.MEMORY,
                Optional.of("64M"),
                LimitValue.count(64 * MIB),
                v1 ? "memory.limit_in_bytes" : "memory.max"));
    assertThat(row(rows, LimitKind.MEMORY_LOW).effective()).hasValue(LimitValue.count(16 * MIB));
    assertThat(row(rows, LimitKind.CPUS).effective()).hasValue(LimitValue.cpus(0.5));
    assertThat(row(rows, LimitKind.CPU_WEIGHT).effective()).hasValue(LimitValue.count(50));
    assertThat(row(rows, LimitKind.PIDS).effective()).hasValue(LimitValue.count(77));
    AppliedLimit swap = row(rows, LimitKind.SWAP);
    assertThat(swap.requested()).isEmpty();
    if (swap.isEnforced()) {
      assertThat(swap.effective()).hasValue(LimitValue.count(0));
    } else {
      assertThat(swap.reason().get()).contains("swap");
    }
    assertThat(rows).extracting(AppliedLimit::kind).isSorted();
  }

  @Test
  @Needs({Feature.MEMORY, Feature.CPU, Feature.PIDS})
  void changesARunningGroup() throws Exception {
    groups.run(group, "sleep 1000");
    for (String memory : List.of("64M", "256M", "32M", "max", "48M")) {
      List<AppliedLimit> rows = group.apply(Limits.builder().memory(memory).build(), false);
      assertThat(row(rows, LimitKind.MEMORY).effective()).hasValue(LimitText.size(memory));
    }
    for (String cpus : List.of("1.5", "0.001", "0.005", "2", "max", "0.25")) {
      List<AppliedLimit> rows = group.apply(Limits.builder().cpus(cpus).build(), false);
      LimitValue value = row(rows, LimitKind.CPUS).effective().get();
      assertThat(value).isEqualTo(LimitText.cpus(cpus));
    }
    List<AppliedLimit> rows = group.apply(Limits.builder().pids("max").build(), false);
    assertThat(row(rows, LimitKind.PIDS).effective()).hasValue(LimitValue.UNLIMITED);
  }

  @Test
  @Needs(Feature.MEMORY)
  void whatIsSetByNameHasTheLastWord() throws Exception {
    String file = LivePlaces.isV1(group, "memory") ? "memory.limit_in_bytes" : "memory.max";
    List<AppliedLimit> rows =
        group.apply(Limits.builder().raw(file + "=32M").memory("64M").build(), false);
    assertThat(Files.readString(group.directory("memory").orElseThrow().resolve(file)))
        .isEqualTo("33554432\n");
    assertThat(row(rows, LimitKind.MEMORY).effective()).hasValue(LimitValue.count(32 * MIB));
    assertThat(row(rows, LimitKind.SET).effective()).hasValue(new LimitValue.Text("33554432"));
  }

  @Test
  @Needs(Feature.V2_MEMORY)
  void v2HoldsWhatV1Cannot() throws Exception {
    List<AppliedLimit> rows =
        group.apply(Limits.builder().memoryHigh("32M").memoryMin("1M").build(), false);
    assertThat(rows).allMatch(AppliedLimit::isEnforced).hasSize(2);
  }

  @Test
  @Needs(Feature.V1_MEMORY)
  void whatV1CannotHoldIsAnError() throws Exception {
    assertThatThrownBy(() -> group.apply(Limits.builder().memoryHigh("32M").build(), false))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("v1 has no memory.high");
    assertThat(group.apply(Limits.builder().memoryHigh("32M").build(), true))
        .singleElement()
        .matches(row -> !row.isEnforced() && row.reason().get().contains("v1 has no memory.high"));
  }

  @Test
  @Needs(Feature.MEMORY)
  void aHogIsKilledAndCounted() throws Exception {
    group.apply(Limits.builder().memory("24M").oomGroup(false).build(), false);
    CountDownLatch told = new CountDownLatch(1);
    try (AutoCloseable watch = group.watchOom(told::countDown)) {
      Process process = groups.run(group, HOG + "; sleep 1000");
      assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.isAlive()).isTrue();
    }
    // v1 tells of it before it kills and counts.
    await().atMost(PATIENCE).until(() -> group.usage().memory().oomKills().orElse(0) > 0);
    Path memory = group.directory("memory").get();
    long before = oomKills(memory);
    Usage usage = group.usage();
    assertThat(usage.memory().oomKills().getAsLong()).isBetween(before, oomKills(memory));
    assertThat(usage.trips().memoryMax().getAsLong()).isPositive();
    usage.memory().peak().ifPresent(peak -> assertThat(peak).isBetween(16 * MIB, 24 * MIB));
    assertThat(usage.cpu().total().get()).isPositive();
    assertThat(usage.cpu().user()).isPresent();
    assertThat(usage.cpu().system()).isPresent();
  }

  @Test
  @Needs(Feature.V2_MEMORY)
  void theWholeGroupIsKilledOnV2() throws Exception {
    group.apply(Limits.builder().memory("24M").build(), false);
    groups.run(group, HOG + "; sleep 1000");
    assertThat(group.awaitEmpty(PATIENCE)).isTrue();
    assertThat(group.usage().memory().oomKills().getAsLong()).isPositive();
  }

  @Test
  @Needs(Feature.MEMORY)
  void countsOomKillsInNestedGroups() throws Exception {
    Path memory = group.directory("memory").get();
    if (!LivePlaces.isV1(group, "memory")) {
      group.enableControllers();
    }
    group.apply(Limits.builder().memory("100M").oomGroup(false).build(), false);
    Cgroup inner = group.create("inner");
    inner.apply(Limits.builder().memory("16M").oomGroup(false).build(), false);
    groups.run(inner, HOG);
    assertThat(inner.awaitEmpty(PATIENCE)).isTrue();
    // At times the kernel kills the other end of the pipe too.
    long kills = oomKills(memory.resolve("inner"));
    assertThat(kills).isPositive();
    assertThat(group.usage().memory().oomKills()).hasValue(kills);
    inner.close();
    // Ours is remembered.
    assertThat(group.usage().memory().oomKills()).hasValue(kills);
    assertThat(memory.resolve("inner")).doesNotExist();
    Cgroup second = group.create("second");
    second.close();
    assertThat(group.usage().memory().oomKills()).hasValue(kills);
    // A member's own takes its count along.
    Files.createDirectory(memory.resolve("other"));
    assertThat(group.usage().memory().oomKills()).hasValue(kills);
    Files.delete(memory.resolve("other"));
    if (LivePlaces.isV1(group, "memory")) {
      assertThat(group.usage().memory().oomKills()).isEmpty();
    } else {
      assertThat(group.usage().memory().oomKills()).hasValue(kills);
    }
  }

  @Test
  @Needs(Feature.V1_MEMORY)
  void aLimitBelowUsageIsAnErrorOnV1() throws Exception {
    group.apply(Limits.builder().memory("200M").build(), false);
    groups.run(group, "{ head -c 50m /dev/zero; sleep 1000; } | tail -c 100m");
    await().atMost(PATIENCE).until(() -> group.usage().memory().current().getAsLong() >= 50 * MIB);
    assertThatThrownBy(() -> group.apply(Limits.builder().memory("8M").build(), false))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("uses more than that already");
  }

  @Test
  @Needs(Feature.PIDS)
  void rejectedForksAreCounted() throws Exception {
    group.apply(Limits.builder().pids(4).build(), false);
    groups.run(group, "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait; sleep 1000");
    await().atMost(PATIENCE).until(() -> group.usage().pids().rejected().getAsLong() > 0);
    Usage usage = group.usage();
    assertThat(usage.pids().current().getAsLong()).isLessThanOrEqualTo(4);
    usage.pids().peak().ifPresent(peak -> assertThat(peak).isEqualTo(4));
  }

  @Test
  @Needs(Feature.PIDS)
  void rejectedForksInNestedGroupsAreCounted() throws Exception {
    if (!LivePlaces.isV1(group, "pids")) {
      group.enableControllers();
    }
    group.apply(Limits.builder().pids(4).build(), false);
    Cgroup inner = group.create("inner");
    groups.run(inner, "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait; sleep 1000");
    await().atMost(PATIENCE).until(() -> group.usage().pids().rejected().getAsLong() > 0);
    inner.kill(PATIENCE);
    long rejected = group.usage().pids().rejected().getAsLong();
    assertThat(rejected).isPositive();
    inner.close();
    assertThat(group.usage().pids().rejected()).hasValue(rejected);
  }

  @Test
  @Needs(Feature.CPU)
  void throttlingIsCounted() throws Exception {
    group.apply(Limits.builder().cpus(0.1).build(), false);
    groups.run(group, "while :; do :; done");
    WallTime.pass(Duration.ofSeconds(1));
    group.kill(PATIENCE);
    Usage usage = group.usage();
    assertThat(usage.cpu().total().get()).isLessThan(Duration.ofMillis(400));
    assertThat(usage.cpu().throttledPeriods().getAsLong()).isPositive();
    assertThat(usage.cpu().throttled().get()).isPositive();
  }

  @Test
  @Needs(Feature.V2_MEMORY)
  void aMissingControllerIsExplained() throws Exception {
    Cgroup inner = group.create("inner"); // nothing enabled for it
    assertThatThrownBy(() -> inner.apply(Limits.builder().memory("1M").build(), false))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("the group has no memory controller");
    assertThat(inner.apply(Limits.builder().memory("1M").build(), true))
        .singleElement()
        .matches(row -> !row.isEnforced());
    assertThat(inner.usage().memory()).isEqualTo(Usage.Memory.NONE);
    assertThat(inner.usage().cpu().total()).isPresent();
    inner.close();
  }

  @Test
  @Needs(Feature.V2_MEMORY)
  void enablingWithProcessesInsideIsExplained() throws Exception {
    groups.run(group, "sleep 1000");
    assertThat(group.enableControllers().get("memory").reason()).contains("holds processes itself");
    Cgroup inner = group.create("inner");
    assertThatThrownBy(() -> inner.apply(Limits.builder().memory("1M").build(), false))
        .hasMessageContaining("holds processes itself");
    inner.close();
  }

  /** The kernel's own count, of this group alone on v1. */
  private static long oomKills(Path memory) throws Exception {
    Path file = memory.resolve("memory.events");
    if (!Files.exists(file)) {
      file = memory.resolve("memory.oom_control");
    }
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith("oom_kill ")) {
        return Long.parseLong(line.substring("oom_kill ".length()));
      }
    }
    throw new AssertionError("no oom_kill in " + file);
  }
}
