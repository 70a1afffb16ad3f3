package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Systemd;
import dev.holdfast.testing.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetPrioV1Test {
  @TempDir Path temp;

  private static List<AppliedLimit> apply(
      FakeGroup group, Limits.Builder limits, boolean bestEffort) throws Exception {
    return FakeGroup.apply(new NetPrioV1(group.directory), limits.build(), bestEffort);
  }

  @Test
  void oneInterface() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "net_prio").with("net_prio.ifpriomap", "lo 0\n")) {
      assertThat(apply(group, Limits.builder().netPriority("lo", 5), false))
          .containsExactly(
              new AppliedLimit(
                  LimitKind.NET_PRIORITY,
                  "lo",
                  Optional.of("lo=5"),
                  Optional.of(LimitValue.count(5)),
                  AppliedLimit.Status.ENFORCED,
                  Optional.of("net_prio.ifpriomap"),
                  Optional.empty()));
      assertThat(group.read("net_prio.ifpriomap")).isEqualTo("lo 5\n");
    }
  }

  @Test
  void whatDoesNotStayIsTold() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "net_prio").forgetful("net_prio.ifpriomap")) {
      assertThatThrownBy(() -> apply(group, Limits.builder().netPriority("lo", 5), false))
          .hasMessageContaining("net_prio.ifpriomap reads \"\" after 5 was set");
    }
  }

  /** No other place has this controller; here it is free to be mounted. */
  @Test
  @Systemd
  @Needs({Feature.ROOT, Feature.FREE_NET_PRIO})
  void everyInterfaceOfTheKernels() throws Exception {
    Tool.run("mount", "-t", "cgroup", "-o", "net_prio", "cgroup", temp.toString());
    Path job = temp.resolve("job");
    try {
      Files.createDirectory(job);
      try (FakeGroup group = FakeGroup.v1(job, "net_prio")) {
        Path file = job.resolve("net_prio.ifpriomap");
        assertThat(apply(group, Limits.builder().netPriority(6), false))
            .singleElement()
            .matches(AppliedLimit::isEnforced);
        assertThat(Files.readAllLines(file)).contains("lo 6").allMatch(line -> line.endsWith(" 6"));
        apply(group, Limits.builder().netPriority("lo", 7), false);
        assertThat(Files.readAllLines(file)).contains("lo 7");
        assertThatThrownBy(() -> apply(group, Limits.builder().netPriority("no0", 7), false))
            .hasMessageContaining("cannot limit net-priority to no0=7")
            .hasMessageContaining("ENODEV")
            .hasMessageContaining("give a device that this machine has");
        assertThat(apply(group, Limits.builder().netPriority("no0", 7), true))
            .noneMatch(AppliedLimit::isEnforced);
      }
    } finally {
      Files.deleteIfExists(job);
      Tool.run("umount", temp.toString());
    }
  }
}
