package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits of CPU time and processors as their members feel them. */
@EveryKernel
@Timeout(120)
class FeltCpuTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  @RegisterExtension final LiveGroups groups = new LiveGroups();

  /** On one processor, whatever else the machine has; it ends by itself if nobody ends it. */
  private static final String BUSY = "exec taskset -c 0 perl -e 'alarm 100; 1 while 1'";

  @Test
  @Needs(Feature.CPU)
  void weightsShareAProcessor() throws Exception {
    Cgroup one = groups.make();
    Cgroup three = groups.make();
    one.apply(Limits.builder().cpuWeight(100).build(), false);
    three.apply(Limits.builder().cpuWeight(300).build(), false);
    groups.run(one, BUSY);
    groups.run(three, BUSY);
    // From a moment when both run.
    await().atMost(PATIENCE).until(() -> used(one) > 0.2 && used(three) > 0.2);
    double oneBefore = used(one);
    double threeBefore = used(three);
    await().atMost(PATIENCE).until(() -> used(one) + used(three) > oneBefore + threeBefore + 4);
    double ratio = (used(three) - threeBefore) / (used(one) - oneBefore);
    assertThat(ratio).isCloseTo(3, within(0.45));
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
            + " my $end = (times)[0] + 0.02; 1 while (times)[0] < $end }'";
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

  private static String allowed(Process process) throws IOException {
    for (String line :
        Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
      if (line.startsWith("Cpus_allowed_list:")) {
        return line.substring("Cpus_allowed_list:".length()).strip();
      }
    }
    throw new AssertionError(process);
  }
}
