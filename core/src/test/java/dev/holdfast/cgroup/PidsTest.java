package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PidsTest {
  @TempDir Path temp;

  @Test
  void limits() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("pids.max")) {
      assertThat(FakeGroup.apply(new Pids(group.branch), Limits.builder().pids(7).build(), false))
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.PIDS, Optional.of("7"), LimitValue.count(7), "pids.max"));
    }
  }

  @Test
  void unlimited() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("pids.max")) {
      assertThat(
              FakeGroup.apply(
                      new Pids(group.branch), Limits.builder().pids("unlimited").build(), false)
                  .getFirst()
                  .effective())
          .hasValue(LimitValue.UNLIMITED);
      assertThat(group.read("pids.max")).isEqualTo("max");
    }
  }

  @Test
  void rejectedForksOfNestedGroupsCountOnce() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .with("pids.current", "1\n")
            .with("pids.peak", "2\n")
            .with("pids.events", "max 3\n")) {
      Files.createDirectory(temp.resolve("a"));
      Files.writeString(temp.resolve("a/pids.events"), "max 4\n");
      Pids pids = new Pids(group.branch);
      assertThat(FakeGroup.usage(pids).pids())
          .isEqualTo(new Usage.Pids(OptionalLong.of(1), OptionalLong.of(2), OptionalLong.of(7)));
      group.with("pids.events.local", "max 0\n"); // since 6.11 the plain file has them all
      assertThat(FakeGroup.usage(pids).pids().rejected()).hasValue(3);
    }
  }
}
