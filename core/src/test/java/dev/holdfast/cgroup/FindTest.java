package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testing.EveryKernel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** From nothing to a group that can be limited, in one call. */
@EveryKernel
class FindTest {
  @RegisterExtension final LiveGroups groups = new LiveGroups();

  @Test
  void itIsReadyToMakeGroupsInAndSaysWhy() throws Exception {
    Delegation found = Delegation.find();
    assertThat(found.kind()).isNotEqualTo(Delegation.Kind.NONE);
    assertThat(found.why()).isNotBlank();
    assertThat(found.reason()).isEmpty();
    try (Cgroup group = found.create("find-" + ProcessHandle.current().pid())) {
      for (LimitKind kind : new LimitKind[] {LimitKind.MEMORY, LimitKind.PIDS}) {
        if (found.absence(kind.controller()).isEmpty()) {
          Limits limits =
              kind == LimitKind.MEMORY
                  ? Limits.builder().memory("64M").build()
                  : Limits.builder().pids(20).build();
          assertThat(group.apply(limits)).allMatch(AppliedLimit::isEnforced);
        }
      }
    }
  }

  @Test
  void aGroupThatIsNamedIsTheOneThatIsUsed() throws Exception {
    Cgroup outer = groups.make();
    Path root = outer.unifiedDirectory().orElseGet(() -> outer.v1Directories().getFirst());
    Delegation found = Delegation.find(root);
    assertThat(found.kind()).isEqualTo(Delegation.Kind.EXPLICIT);
    assertThat(found.why()).contains(root + " was asked for");
    try (Cgroup group = found.create("inner")) {
      assertThat(group.directory("unified").or(() -> group.directory("freezer")).orElseThrow())
          .isEqualTo(root.resolve("inner"));
      assertThat(outer.nested()).extracting(NestedGroup::path).contains("inner");
    }
  }

  @Test
  void whatIsNoGroupIsRefused(@TempDir Path folder) {
    assertThatThrownBy(() -> Delegation.find(folder))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining(folder + ": it is no control group of a mounted hierarchy");
  }
}
