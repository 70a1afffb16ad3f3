package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.linux.Errno;
import dev.holdfast.linux.Faults;
import dev.holdfast.linux.SystemCallException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said where controllers cannot be enabled. */
class SubtreeControlTest {
  @TempDir Path group;

  @Test
  void aDelegationDoesNotHelpWhoHasNoDescriptorLeft() throws Exception {
    Files.writeString(group.resolve("cgroup.controllers"), "memory\n");
    Files.writeString(group.resolve("cgroup.procs"), "");
    Files.writeString(group.resolve("cgroup.subtree_control"), "");
    Map<String, Absence> absences;
    try (Faults faults =
        Faults.failing(new Faults.Site("openat", "cgroup.subtree_control"), Errno.EMFILE)) {
      absences = SubtreeControl.enable(group, false, false);
      assertThat(faults.hits()).isPositive();
    }
    assertThat(absences.get("memory").remedy()).contains("open files");
    assertThat(reading(Errno.EMFILE)).contains("open files").doesNotContain("Delegate");
    assertThat(reading(Errno.EACCES)).contains("Delegate");
  }

  private static String reading(int errno) {
    return Refusal.ofDelegation("cannot", new SystemCallException("openat", "/group", errno))
        .remedy();
  }
}
