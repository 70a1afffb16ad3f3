package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Changes of CPU time that the kernel takes in one order only, and what it never takes. */
@EveryKernel
@Timeout(60)
class LiveCpuTuningTest {
  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = groups.make();
  }

  private void apply(double cpus, int burstMillis) throws IOException {
    Limits limits = Limits.builder().cpus(cpus).cpuBurst(Duration.ofMillis(burstMillis)).build();
    assertThat(group.apply(limits, false)).hasSize(2).allMatch(AppliedLimit::isEnforced);
  }

  /** No quota may be below the burst, so a lower burst goes first and a higher one last. */
  @Test
  @Needs(Feature.CPU)
  void quotaAndBurstGoDownAndUpTogether() throws Exception {
    apply(1, 100);
    apply(0.5, 40);
    apply(2, 150);
    apply(0.1, 0);
    assertThatThrownBy(() ->
            group.apply(Limits.builder().cpus(0.5).cpuBurst(Duration.ofMillis(51)).build(), false))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("it may not be above the quota");
  }

  /** v1 looks at the quota and the period after each of the two writes. */
  @Test
  @Needs({Feature.CPU, Feature.ROOT})
  void aPeriodChangesInAGroupThatIsBounded() throws Exception {
    group.enableControllers();
    group.apply(Limits.builder().cpus(0.5).build(), false);
    try (Cgroup nested = group.create("nested")) {
      for (long period : new long[] {100_000, 5_000, 200_000, 10_000, 1_000_000}) {
        Limits limits = Limits.builder().cpuQuota(period / 2, period).build();
        assertThat(nested.apply(limits, false).getFirst().effective())
            .hasValue(LimitValue.cpus(0.5));
      }
    }
  }

  @Test
  @Needs(Feature.CPUSET)
  void processorsThatNobodyHasAreRefused() {
    assertThatThrownBy(() -> group.apply(Limits.builder().cpusetCpus("4095").build(), false))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("cannot limit cpuset-cpus to 4095")
        .hasMessageContaining("give some of 0");
  }
}
