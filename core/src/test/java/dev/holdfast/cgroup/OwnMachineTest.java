package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Systemd;
import dev.holdfast.testing.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Controllers of a machine that is ours for the test: partitions, perf_event and zswap. */
@Systemd
@Needs(Feature.ROOT)
@Timeout(120)
class OwnMachineTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Path TOP = Path.of("/sys/fs/cgroup");

  @RegisterExtension final LiveGroups groups = new LiveGroups();

  /** A partition takes its processors from everybody else, and gives them back at its end. */
  @Test
  @Needs({Feature.PURE_V2, Feature.CPUSET, Feature.TWO_CPUS})
  void aPartitionHasItsProcessorsAlone() throws Exception {
    String before = allowed("self");
    assertThat(before).isEqualTo("0-1");
    Delegation top = Delegation.probe(CgroupHost.read(), Optional.of(TOP));
    top.acquire();
    Limits limits = Limits.builder().cpusetCpus("1").cpusetPartition("root").build();
    try (Cgroup group = top.create("hf-test-partition")) {
      assertThat(group.apply(limits, false)).hasSize(2).allMatch(AppliedLimit::isEnforced);
      assertThat(Files.readString(TOP.resolve("cpuset.cpus.effective"))).isEqualTo("0\n");
      assertThat(allowed("self")).isEqualTo("0");
      Process member = groups.run(group, "exec sleep 1000");
      assertThat(allowed(Long.toString(member.pid()))).isEqualTo("1");
    }
    // The kernel removes a group first, and what it had a moment later.
    await().atMost(PATIENCE).until(() -> allowed("self"), before::equals);
  }

  @Test
  @Needs({Feature.PURE_V2, Feature.CPUSET})
  void aPartitionInAGroupThatIsNoneIsRefused() throws Exception {
    Cgroup group = groups.make();
    Limits limits = Limits.builder().cpusetCpus("1").cpusetPartition("root").build();
    assertThatThrownBy(() -> group.apply(limits, false))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("the kernel makes none of this group")
        .hasMessageContaining("root invalid (");
    assertThat(Files.readString(group.unifiedDirectory().get().resolve("cpuset.cpus.partition")))
        .isEqualTo("member\n");
  }

  private static String allowed(String process) throws IOException {
    return Files.readAllLines(Path.of("/proc", process, "status")).stream()
        .filter(line -> line.startsWith("Cpus_allowed_list:"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElseThrow();
  }

  /** v1's hierarchy of it, mounted for the test, beside v2. */
  @Test
  @Needs(Feature.FREE_PERF_EVENT)
  void perfEventIsJoined() throws Exception {
    Path mount = Files.createTempDirectory("hf-perf");
    Tool.run("mount", "-t", "cgroup", "-o", "perf_event", "cgroup", mount.toString());
    try (Cgroup group = groups.make()) {
      Process early = groups.run(group, "exec sleep 1000");
      group.use(Set.of("perf_event"));
      Process late = groups.run(group, "exec sleep 1000");
      assertThat(group.paths()).containsEntry("perf_event", "/" + group.name());
      for (Process member : List.of(early, late)) {
        assertThat(Files.readAllLines(Path.of("/proc", Long.toString(member.pid()), "cgroup")))
            .anyMatch(line -> line.endsWith(":perf_event:/" + group.name()));
      }
      group.close();
      assertThat(mount.resolve(group.name())).doesNotExist();
    } finally {
      Tool.run("umount", mount.toString());
      Files.delete(mount);
    }
  }

  @Test
  @Needs(Feature.PURE_V2)
  void limitsOfCompressedSwapAreTaken() throws Exception {
    Cgroup group = groups.make();
    for (String size : List.of("8M", "max", "64K")) {
      assertThat(group.apply(Limits.builder().zswap(size).swapHigh(size).build(), false))
          .hasSize(2)
          .allMatch(row -> row.effective().get().equals(LimitText.size(size)));
    }
    assertThat(Files.readString(group.unifiedDirectory().get().resolve("memory.zswap.max")))
        .isEqualTo("65536\n");
  }
}
