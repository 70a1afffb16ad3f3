package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@EveryKernel
@Timeout(120)
class LiveEventsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<CgroupEvent> seen = new CopyOnWriteArrayList<>();
  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = groups.make();
  }

  @Test
  @Needs(Feature.CGROUP_V2)
  void comingAndGoing() throws Exception {
    try (AutoCloseable watch = group.listen(seen::add)) {
      run("sleep 1000");
      await().atMost(PATIENCE).until(() -> kinds().contains(CgroupEvent.Kind.POPULATED));
      assertThat(kinds()).doesNotContain(CgroupEvent.Kind.EMPTY);
      group.kill(PATIENCE);
      await().atMost(PATIENCE).until(() -> kinds().contains(CgroupEvent.Kind.EMPTY));
    }
  }

  @Test
  @Needs(Feature.CGROUP_V2)
  void freezingAndThawing() throws Exception {
    run("sleep 1000");
    try (AutoCloseable watch = group.listen(seen::add)) {
      group.freeze();
      await().atMost(PATIENCE).until(() -> kinds().contains(CgroupEvent.Kind.FROZEN));
      group.thaw();
      await().atMost(PATIENCE).until(() -> kinds().contains(CgroupEvent.Kind.THAWED));
    }
  }

  @Test
  @Needs(Feature.MEMORY)
  void outOfMemory() throws Exception {
    group.apply(Limits.builder().memory("24M").oomGroup(false).build(), false);
    try (AutoCloseable watch = group.listen(seen::add)) {
      run("head -c 100m /dev/zero | tail -c 100m; sleep 1000");
      await().atMost(PATIENCE).until(() -> kinds().contains(CgroupEvent.Kind.OOM_KILL));
    }
  }

  @Test
  @Needs({Feature.PIDS, Feature.PURE_V2})
  void aRejectedFork() throws Exception {
    group.apply(Limits.builder().pids(2).build(), false);
    try (AutoCloseable watch = group.listen(seen::add)) {
      run("sleep 1000 & sleep 1000 & sleep 1000 & sleep 1000 & wait");
      await().atMost(PATIENCE).until(() -> kinds().contains(CgroupEvent.Kind.PIDS_REJECTED));
      assertThat(seen).allMatch(event -> event.count() > 0);
    }
  }

  @Test
  @Needs(Feature.PSI)
  void pressureWarnsWithoutAnyKill() throws Exception {
    org.junit.jupiter.api.Assumptions.assumeTrue(
        group.unifiedDirectory().map(d -> Files.exists(d.resolve("cpu.pressure"))).orElse(false),
        "no group has PSI here");
    Limits half = Limits.builder().cpus(0.1).build();
    group.apply(half, false);
    CountDownLatch told = new CountDownLatch(2);
    try (AutoCloseable watch =
        group.onPressure(
            PressureKind.CPU,
            /* full= */ false,
            Duration.ofMillis(20),
            Duration.ofSeconds(2),
            told::countDown)) {
      run("(while :; do :; done) & while :; do :; done");
      assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(group.isPopulated()).isTrue();
  }

  @Test
  void statisticsAsTheFilesHaveThem() throws Exception {
    run("head -c 10m /dev/zero | tail -c 10m >/dev/null; sleep 1000");
    await()
        .atMost(PATIENCE)
        .until(() ->
            group.statistics().cpu().total().orElse(Duration.ZERO).compareTo(Duration.ofMillis(1))
                > 0);
    group.freeze();
    Statistics all = group.statistics();
    Statistics again = group.statistics();
    assertThat(again.cpu().total()).isEqualTo(all.cpu().total());
    assertThat(again.memory().stat().names()).isEqualTo(all.memory().stat().names());
    Usage usage = group.usage();
    assertThat(all.pids().current()).isEqualTo(usage.pids().current());
    assertThat(all.memory().peak()).isEqualTo(usage.memory().peak());
    if (group.directory("memory").isPresent()) {
      assertThat(all.memory().workingSet()).isPresent();
    }
    if (group.unifiedDirectory().isPresent()) {
      String stat = Files.readString(group.unifiedDirectory().get().resolve("cpu.stat"));
      assertThat(all.cpu().total().map(total -> total.toNanos() / 1000))
          .hasValue(FlatKeyed.value(stat, "usage_usec").orElseThrow());
    }
    group.thaw();
  }

  @Test
  void aTriggerThatTheKernelWouldNotTake() {
    assertThatThrownBy(() ->
            group.onPressure(
                PressureKind.IO, false, Duration.ofSeconds(2), Duration.ofSeconds(1), () -> {}))
        .isInstanceOfAny(IllegalArgumentException.class, HoldfastException.class);
  }

  @Test
  void aWindowForThePeakOrTheReasonWhyNot() throws Exception {
    try (PeakWindow window = group.peakWindow()) {
      assertThat(window.bytes()).isPresent();
      run("head -c 20m /dev/zero | tail -c 20m >/dev/null; sleep 1000");
      await().atMost(PATIENCE).until(() -> window.bytes().getAsLong() > 16 << 20);
      window.reset();
      assertThat(window.bytes().getAsLong()).isLessThan(16 << 20);
    } catch (HoldfastException unavailable) {
      assertThat(unavailable).hasMessageContaining("v2");
    }
  }

  private List<CgroupEvent.Kind> kinds() {
    return seen.stream().map(CgroupEvent::kind).toList();
  }

  private void run(String script) throws IOException {
    groups.run(group, script);
  }
}
