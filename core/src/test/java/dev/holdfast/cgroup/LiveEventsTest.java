package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.LoopDevice;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

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

  /** Before any kill the kernel tells how often it had to make room, or could not. */
  @Test
  @Needs(Feature.V2_MEMORY)
  void theWholeGroupOutOfMemory() throws Exception {
    group.apply(Limits.builder().memory("24M").oomGroup(true).build(), false);
    try (EventWatch watch = group.listen(seen::add)) {
      assertThat(watch.kinds())
          .contains(CgroupEvent.Kind.MEMORY_MAX, CgroupEvent.Kind.OOM_GROUP_KILL);
      run("sleep 1000 & head -c 100m /dev/zero | tail -c 100m; sleep 1000");
      await()
          .atMost(PATIENCE)
          .until(() ->
              kinds()
                  .containsAll(
                      Set.of(
                          CgroupEvent.Kind.MEMORY_MAX,
                          CgroupEvent.Kind.OOM_KILL,
                          CgroupEvent.Kind.OOM_GROUP_KILL,
                          CgroupEvent.Kind.EMPTY)));
    }
    assertThat(group.isPopulated()).isFalse();
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
    assumeTrue(
        group.unifiedDirectory().map(d -> Files.exists(d.resolve("cpu.pressure"))).orElse(false),
        "no group has PSI here");
    Limits half = Limits.builder().cpus(0.1).build();
    group.apply(half, false);
    warns(PressureKind.CPU, "(while :; do :; done) & while :; do :; done");
  }

  @Test
  @Needs({Feature.PSI, Feature.V2_MEMORY})
  void pressureOfMemoryWarnsWithoutAnyKill() throws Exception {
    group.apply(Limits.builder().memoryHigh("16M").build(), false);
    warns(PressureKind.MEMORY, LiveGroups.hog(32));
    assertThat(group.usage().memory().oomKills()).hasValue(0);
  }

  @Test
  @Needs({Feature.ROOT, Feature.PSI, Feature.IO, Feature.LOOP, Feature.CGROUP_V2})
  void pressureOfInputAndOutputWarns() throws Exception {
    assumeTrue(Place.isGuest(), "a device is another's here");
    try (LoopDevice device = new LoopDevice(32 << 20)) {
      group.apply(Limits.builder().ioMax(device.number(), IoRate.READ_BYTES, "1M").build(), false);
      warns(
          PressureKind.IO,
          "while :; do dd if=" + device.path() + " of=/dev/null bs=64k iflag=direct; done");
      group.kill(PATIENCE);
    }
  }

  private void warns(PressureKind kind, String script) throws Exception {
    CountDownLatch told = new CountDownLatch(2);
    try (Watch watch =
        group.onPressure(
            kind, false, Duration.ofMillis(20), Duration.ofSeconds(2), told::countDown)) {
      assertThat(told.getCount()).as("while there is nobody").isEqualTo(2);
      run(script);
      assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(group.isPopulated()).isTrue();
  }

  @Test
  void itSaysWhatItCanTell() throws Exception {
    Set<CgroupEvent.Kind> expected = EnumSet.noneOf(CgroupEvent.Kind.class);
    group
        .unifiedDirectory()
        .ifPresent(v2 -> {
          expected.addAll(
              Set.of(
                  CgroupEvent.Kind.POPULATED,
                  CgroupEvent.Kind.EMPTY,
                  CgroupEvent.Kind.FROZEN,
                  CgroupEvent.Kind.THAWED));
          if (Files.exists(v2.resolve("memory.swap.events"))) {
            expected.addAll(Set.of(CgroupEvent.Kind.SWAP_MAX, CgroupEvent.Kind.SWAP_FAIL));
          }
          if (Files.exists(v2.resolve("pids.events"))) {
            expected.add(CgroupEvent.Kind.PIDS_REJECTED);
          }
        });
    if (group.directory("memory").isPresent()) {
      expected.add(CgroupEvent.Kind.OOM_KILL);
    }
    try (EventWatch watch = group.listen(seen::add)) {
      assertThat(watch.kinds()).containsAll(expected);
      assertThat(watch.kinds().contains(CgroupEvent.Kind.PIDS_REJECTED))
          .isEqualTo(expected.contains(CgroupEvent.Kind.PIDS_REJECTED));
    }
  }

  /** A reservation is charged before a page is looked for, so none needs to be there. */
  @Test
  @Needs(Feature.ROOT)
  void hugePagesOverTheirLimit() throws Exception {
    group.use(Set.of("hugetlb"));
    Path limit = group.unifiedDirectory().orElse(Path.of("/none")).resolve("hugetlb.2MB.rsvd.max");
    assumeTrue(Files.exists(limit), "no v2 group has huge pages here");
    Files.writeString(limit, "0");
    try (EventWatch watch = group.listen(seen::add)) {
      assertThat(watch.kinds()).contains(CgroupEvent.Kind.HUGETLB_MAX);
      int mmap = System.getProperty("os.arch", "").equals("aarch64") ? 222 : 9;
      // MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB
      run("perl -e 'syscall(" + mmap + ", 0, 2 << 20, 3, 0x40022, -1, 0)'; sleep 1000");
      await().atMost(PATIENCE).until(() -> kinds().contains(CgroupEvent.Kind.HUGETLB_MAX));
      assertThat(seen.getLast().subject()).contains("2MB");
      assertThat(group.statistics().hugeTlb().get("2MB").max().orElseThrow()).isPositive();
    }
  }

  @Test
  @Needs(Feature.MEMORY)
  void riseOfMemoryWarnsWithoutAnyKill() throws Exception {
    group.apply(Limits.builder().memory("256M").build());
    CountDownLatch told = new CountDownLatch(1);
    if (!LivePlaces.isV1(group, "memory")) {
      assertThatThrownBy(() -> group.onMemoryUse(16 << 20, told::countDown))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("memory-high");
      return;
    }
    try (Watch watch = group.onMemoryUse(16 << 20, told::countDown)) {
      assertThat(told.getCount()).isOne();
      run(LiveGroups.hog(32));
      assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(group.usage().memory().oomKills()).hasValue(0);
    assertThat(group.isPopulated()).isTrue();
    CountDownLatch already = new CountDownLatch(1);
    try (Watch watch = group.onMemoryUse(8 << 20, already::countDown)) {
      assertThat(already.getCount()).isZero();
    }
  }

  /** The page cache of what is written has to leave again. */
  @Test
  @Needs(Feature.MEMORY)
  void levelsOfPressureOnV1(@TempDir Path folder) throws Exception {
    assumeTrue(
        LivePlaces.isV1(group, "memory") && !Files.getFileStore(folder).type().equals("tmpfs"),
        "no v1 memory controller, or no disk to write to");
    group.apply(Limits.builder().memory("24M").build());
    CountDownLatch told = new CountDownLatch(1);
    try (Watch watch = group.onMemoryPressure(MemoryPressure.LOW, told::countDown)) {
      run("exec dd if=/dev/zero of=" + folder.resolve("file") + " bs=1M count=200 2>/dev/null");
      assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
    }
    group.kill(PATIENCE);
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
  @Needs(Feature.PEAK_RESET)
  void aWindowForThePeak() throws Exception {
    try (PeakWindow window = group.peakWindow()) {
      assertThat(window.bytes()).isPresent();
      run("head -c 20m /dev/zero | tail -c 20m >/dev/null; sleep 1000");
      await().atMost(PATIENCE).until(() -> window.bytes().getAsLong() > 16 << 20);
      window.reset();
      assertThat(window.bytes().getAsLong()).isLessThan(16 << 20);
    }
  }

  @Test
  @Needs(Feature.NO_PEAK_RESET)
  void withoutAPeakThatCanBeResetItIsSaidWhatHasOne() {
    assertThatThrownBy(() -> group.peakWindow())
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("v2");
  }

  private List<CgroupEvent.Kind> kinds() {
    return seen.stream().map(CgroupEvent::kind).toList();
  }

  private void run(String script) throws IOException {
    groups.run(group, script);
  }
}
