package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.oci.CgroupsPath;
import dev.holdfast.oci.OciGroups;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Groups where a cgroupsPath wants them, on real kernels. */
@EveryKernel
@Timeout(60)
class OciGroupsTest {
  private final String top = "hf-oci-" + ProcessHandle.current().pid();
  private Delegation delegation;

  @BeforeEach
  void acquire() throws Exception {
    delegation = Delegation.probe(CgroupHost.read(), Optional.empty());
    delegation.acquire();
  }

  @Test
  @Needs(Feature.PIDS)
  void liesBelowOurSubtreeAndLeavesNothing() throws Exception {
    Path directory;
    Path holder;
    try (OciGroups groups = new OciGroups(delegation)) {
      try (Cgroup one = groups.create(CgroupsPath.parse("/" + top + "/in/one"));
          Cgroup two = groups.create(CgroupsPath.parse(top + "/in/two"))) {
        directory = one.directory("pids").orElseThrow();
        assertThat(directory.toString()).endsWith("/" + top + "/in/one");
        assertThat(directory).isDirectory();
        assertThat(two.directory("pids").orElseThrow().getParent())
            .isEqualTo(directory.getParent());
        one.apply(Limits.builder().pids(7).build(), false);
        assertThat(Files.readString(directory.resolve("pids.max"))).isEqualTo("7\n");
        assertThatThrownBy(() -> groups.create(CgroupsPath.parse(top + "/in/one")))
            .isInstanceOf(HoldfastException.class)
            .hasMessageContaining("EEXIST");
      }
      holder = directory.getParent().getParent();
      assertThat(holder).isDirectory();
    }
    assertThat(holder).doesNotExist();
  }

  @Test
  void aSystemdPathIsDirectoriesToo() throws Exception {
    try (OciGroups groups = new OciGroups(delegation);
        Cgroup group = groups.create(CgroupsPath.parse("hf-" + top + ".slice:job:1"))) {
      assertThat(group.paths().values().iterator().next()).endsWith(".slice/job-1.scope");
    }
  }

  @Test
  void aNameThatNoGroupOfOursHasIsRefused() throws Exception {
    try (OciGroups groups = new OciGroups(delegation)) {
      assertThatThrownBy(() -> groups.create(CgroupsPath.parse("/memory.x")))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("cannot make the group of the cgroupsPath \"/memory.x\"");
    }
  }
}
