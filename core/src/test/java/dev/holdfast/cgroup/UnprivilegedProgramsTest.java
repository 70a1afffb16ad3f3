package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Unprivileged;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kernel takes no programs from an ordinary user, and we say so. */
@Unprivileged
@Needs({Feature.UNPRIVILEGED, Feature.PURE_V2, Feature.CGROUP_BPF})
@Timeout(60)
class UnprivilegedProgramsTest {
  @Test
  void areRefusedAndExplained() throws Exception {
    try (Cgroup group = LivePlaces.make()) {
      Limits limits = Limits.builder().devices(List.of("!a")).netClass(1).netPriority(2).build();
      assertThatThrownBy(() -> group.apply(limits, false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("cannot limit device to !a with cgroup-v2")
          .hasMessageContaining("bpf(PROG_LOAD) holdfast_device: EPERM")
          .hasMessageContaining("run as root outside of a container");
      assertThat(group.apply(limits, true))
          .hasSize(3)
          .allMatch(row -> !row.isEnforced() && row.reason().orElseThrow().contains("EPERM"));
    }
  }
}
