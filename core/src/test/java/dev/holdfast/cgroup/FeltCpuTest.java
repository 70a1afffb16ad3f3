package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Limits of CPU time, processors and memory nodes as their members feel them. */
@EveryKernel
@Timeout(240)
class FeltCpuTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private static final Path NODES = Path.of("/sys/devices/system/node");

  @RegisterExtension final LiveGroups groups = new LiveGroups();

  /** On one processor, whatever else the machine has; it ends by itself if nobody ends it. */
  private static final String BUSY = "exec taskset -c 0 perl -e 'alarm 100; 1 while 1'";

  @ParameterizedTest
  @CsvSource({"100, 100", "100, 300"})
  @Needs(Feature.CPU)
  void weightsShareAProcessor(int one, int other) throws Exception {
    Cgroup first = groups.make();
    Cgroup second = groups.make();
    first.apply(Limits.builder().cpuWeight(one).build(), false);
    second.apply(Limits.builder().cpuWeight(other).build(), false);
    groups.run(first, BUSY);
    groups.run(second, BUSY);
    TwoShares.awaitRatio(first, second, FeltCpuTest::used, 0.2, 4, (double) other / one);
  }

  private static double used(Cgroup group) throws IOException {
    return group.usage().cpu().total().orElseThrow().toNanos() / 1e9;
  }

  @Test
  @Needs(Feature.CPU)
  void anIdleGroupYields() throws Exception {
    Cgroup idle = groups.make();
    Cgroup usual = groups.make();
    idle.apply(Limits.builder().cpuIdle(true).build(), false);
    groups.run(idle, BUSY);
    groups.run(usual, BUSY);
    // From a moment when both run: before, the idle one had the processor for itself.
    await().atMost(PATIENCE).until(() -> used(idle) > 0 && used(usual) > 0.2);
    double idleBefore = used(idle);
    double usualBefore = used(usual);
    await().atMost(PATIENCE).until(() -> used(usual) > usualBefore + 3);
    assertThat(used(idle) - idleBefore).isLessThan((used(usual) - usualBefore) / 4);
  }

  /** A wave of 15 ms every 100 ms or more fits into 10 ms of each 100 only with what was saved. */
  @Test
  @Needs(Feature.CPU)
  void aBurstUsesWhatWasSavedUp() throws Exception {
    String waves =
        "exec perl -e 'for (1 .. 15) { select(undef, undef, undef, 0.3);"
            + " my $end = (times)[0] + (times)[1] + 0.02;"
            + " 1 while (times)[0] + (times)[1] < $end }'";
    Cgroup strict = groups.make();
    Cgroup saving = groups.make();
    strict.apply(Limits.builder().cpus(0.1).build(), false);
    saving.apply(Limits.builder().cpus(0.1).cpuBurst(Duration.ofMillis(10)).build(), false);
    Process strictOne = groups.run(strict, waves);
    Process savingOne = groups.run(saving, waves);
    assertThat(strictOne.waitFor()).isZero();
    assertThat(savingOne.waitFor()).isZero();
    Statistics.Cpu strictly = strict.statistics().cpu();
    Statistics.Cpu saved = saving.statistics().cpu();
    assertThat(strictly.throttledPeriods().orElseThrow()).isPositive();
    assertThat(strictly.bursts().orElse(0)).isZero();
    assertThat(saved.bursts().orElseThrow()).isPositive();
    // A unit of time, whichever the version counts in: it waits for most of each period.
    assertThat(strictly.throttled().orElseThrow())
        .isBetween(Duration.ofMillis(20), Duration.ofSeconds(60));
  }

  @Test
  @Needs({Feature.CPUSET, Feature.TWO_CPUS})
  void aSetOfProcessorsPins() throws Exception {
    Cgroup group = groups.make();
    Process before = groups.runAndRead(group, "exec sleep 1000");
    assertThat(allowed(before)).isNotEqualTo("1");
    group.apply(Limits.builder().cpusetCpus("1").cpusetMems("0").build(), false);
    assertThat(allowed(before)).isEqualTo("1");
    assertThat(allowed(groups.run(group, "exec sleep 1000"))).isEqualTo("1");
    group.apply(Limits.builder().cpusetCpus("0").build(), false);
    assertThat(allowed(before)).isEqualTo("0");
  }

  /** From a processor whose own node is the other one, which it would take without the limit. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  @Needs({Feature.CPUSET, Feature.TWO_CPUS, Feature.TWO_NODES})
  void aSetOfMemoryNodesIsWhereMemoryComesFrom(int node) throws Exception {
    final long size = 32 << 20;
    int other = 1 - node;
    String processor = Files.readString(NODES.resolve("node" + other + "/cpulist")).split("\\D")[0];
    Cgroup group = groups.make();
    group.apply(Limits.builder().cpusetMems(Integer.toString(node)).build(), false);
    Process hog =
        groups.runAndRead(
            group,
            "taskset -cp " + processor + " $$ >/dev/null; " + LiveGroups.hog((int) (size >> 20)));
    assertThat(hog.inputReader().readLine()).isEqualTo("full");
    assertThat(anonymous(hog, node)).isGreaterThanOrEqualTo(size);
    assertThat(anonymous(hog, other)).isZero();
    assertThat(status(hog, "Mems_allowed_list:")).isEqualTo(Integer.toString(node));
    assertThat(status(hog, "Cpus_allowed_list:")).isEqualTo(processor);
    Map<Integer, Counters> nodes = group.statistics().memory().nodes();
    assertThat(nodes.get(node).get("anon").orElseThrow()).isGreaterThanOrEqualTo(size * 9 / 10);
    assertThat(nodes.get(other).get("anon").orElseThrow()).isZero();
  }

  /**
   * Bytes that it has of a node, apart from those of files, which may have been read before:
   *
   * <pre>
   * 7f2e4c000000 default anon=8193 dirty=8193 active=0 N1=8193 kernelpagesize_kB=4
   * </pre>
   */
  private static long anonymous(Process process, int node) throws IOException {
    long bytes = 0;
    for (String line :
        Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "numa_maps"))) {
      Matcher pages =
          Pattern.compile(" N" + node + "=([0-9]+)\\b.* kernelpagesize_kB=4$").matcher(line);
      if (!line.contains(" file=") && line.contains(" anon=") && pages.find()) {
        bytes += Long.parseLong(pages.group(1)) << 12;
      }
    }
    return bytes;
  }

  private static String allowed(Process process) throws IOException {
    return status(process, "Cpus_allowed_list:");
  }

  private static String status(Process process, String name) throws IOException {
    for (String line :
        Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
      if (line.startsWith(name)) {
        return line.substring(name.length()).strip();
      }
    }
    throw new AssertionError(process);
  }
}
