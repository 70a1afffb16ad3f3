package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Removal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On the v2 hierarchy of this machine, in a group made for the test. */
@EveryKernel
@Timeout(120)
class DelegationKernelTest {
  private final List<Process> children = new ArrayList<>();
  private final List<Path> made = new ArrayList<>();

  @AfterEach
  void cleanUp() throws Exception {
    for (Process child : children) {
      child.destroyForcibly();
      child.waitFor();
    }
    for (Path group : made.reversed()) {
      Removal.await(List.of(group.resolve("holdfast.leaf"), group));
    }
  }

  @Test
  void probeIsQuickAndFindsUs() throws IOException {
    CgroupHost host = CgroupHost.read();
    Delegation delegation = Delegation.probe(host, Optional.empty());
    assertThat(delegation.kind() == Delegation.Kind.NONE)
        .isEqualTo(delegation.reason().isPresent());
    for (Place place : delegation.places()) {
      assertThat(place.base().startsWith(place.hierarchy().mount())).isTrue();
      assertThat(Files.exists(place.base().resolve("cgroup.procs"))).isTrue();
    }
    System.out.println("delegation here: " + delegation.kind() + " " + delegation.reason());
  }

  @Test
  @Needs(Feature.CGROUP_V2)
  void everyProcessMovesToTheLeaf() throws Exception {
    Path group = group();
    List<String> pids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      pids.add(childIn(group, "sleep", "60"));
    }
    // It starts others all the time, so some are born while we move.
    childIn(group, "sh", "-c", "while :; do sleep 0.001 & sleep 0.002; done");
    Leaf.moveInto(group);
    assertThat(Files.readString(group.resolve("cgroup.procs"))).isEmpty();
    assertThat(Files.readAllLines(group.resolve("holdfast.leaf/cgroup.procs"))).containsAll(pids);
    // Again, with the leaf there and nothing to move.
    Leaf.moveInto(group);
  }

  @Test
  @Needs(Feature.CGROUP_V2)
  void groupWithProcessesGetsNoControllers() throws Exception {
    Path group = group();
    List<String> wanted = new java.util.ArrayList<>(SubtreeControl.WANTED);
    wanted.retainAll(
        List.of(Files.readString(group.resolve("cgroup.controllers")).strip().split(" ", -1)));
    childIn(group, "sleep", "60");
    assertThat(SubtreeControl.enable(group, false, false).isEmpty()).isEqualTo(wanted.isEmpty());
    assertThat(Files.readString(group.resolve("cgroup.subtree_control"))).isBlank();
    Leaf.moveInto(group);
    assertThat(SubtreeControl.enable(group, false, true)).isEmpty();
    assertThat(Files.readString(group.resolve("cgroup.type"))).isEqualTo("domain\n");
  }

  private Path group() throws IOException {
    CgroupHost host = CgroupHost.read();
    assumeTrue(host.unified().isPresent(), "no v2 hierarchy is mounted");
    Delegation delegation = Delegation.probe(host, Optional.empty());
    assumeTrue(delegation.reason().isEmpty(), delegation.reason().orElse(""));
    Path base = delegation.places().getFirst().base();
    Path group = base.resolve("holdfast-delegation-test-" + System.nanoTime());
    Files.createDirectory(group);
    made.add(group);
    return group;
  }

  private String childIn(Path group, String... command) throws IOException {
    Process child = new ProcessBuilder(command).inheritIO().start();
    children.add(child);
    String pid = Long.toString(child.pid());
    Files.writeString(group.resolve("cgroup.procs"), pid);
    return pid;
  }
}
