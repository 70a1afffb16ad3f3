package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** This machine, whichever it is. */
@EveryKernel
class CgroupHostKernelTest {
  @Test
  void agreesWithTheKernel() throws IOException {
    CgroupHost host = CgroupHost.read();
    List<String> lines = Files.readAllLines(Path.of("/proc/self/cgroup"));
    String self = Long.toString(ProcessHandle.current().pid());
    for (Hierarchy hierarchy : host.hierarchies()) {
      String end = ":" + hierarchy.ownPath();
      assertThat(lines)
          .anyMatch(line ->
              line.endsWith(end)
                  && (hierarchy.unified()
                      ? line.startsWith("0::")
                      : hierarchy.controllers().stream().allMatch(line::contains)));
      if (hierarchy.own().isPresent()) {
        try (Stream<String> members = Files.lines(hierarchy.own().get().resolve("cgroup.procs"))) {
          assertThat(members).as("members of %s", hierarchy.own().get()).contains(self);
        }
      }
    }
    assertThat(host.version()).isNotNull();
  }
}
