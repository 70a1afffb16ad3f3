package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.OpenFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Groups that members made in a group of ours. */
@EveryKernel
@Timeout(120)
class NestedGroupTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = groups.make();
  }

  /** What a member runs to make {@code path} in each hierarchy and to move there. */
  private String moveTo(String path) {
    return "for d in "
        + String.join(" ", directories().stream().map(Path::toString).toList())
        + "; do mkdir -p $d/"
        + path
        + "; echo 0 >$d/"
        + path
        + "/cgroup.procs; done; ";
  }

  private List<Path> directories() {
    List<Path> all = new ArrayList<>(group.v1Directories());
    group.unifiedDirectory().ifPresent(all::add);
    return all;
  }

  private List<String> walk() throws IOException {
    List<String> seen = new ArrayList<>();
    group.walk(nested -> seen.add(nested.path()));
    return seen;
  }

  @Test
  @Needs(Feature.ROOT)
  void whatMembersMadeIsListedAndRead() throws Exception {
    assertThat(group.nested()).isEmpty();
    Process busy =
        groups.runAndRead(
            group,
            moveTo("a/b")
                + "n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done; echo x; exec sleep 1000");
    assertThat(busy.inputReader().readLine()).isEqualTo("x");
    assertThat(walk()).containsExactly("a", "a/b");
    assertThat(group.nested()).extracting(NestedGroup::path).containsExactly("a");
    NestedGroup outer = group.nested().getFirst();
    NestedGroup inner = outer.nested().getFirst();
    assertThat(inner.path()).isEqualTo("a/b");
    assertThat(inner.nested()).isEmpty();
    assertThat(inner.members()).contains(busy.pid());
    assertThat(outer.members()).isEqualTo(inner.members());
    assertThat(inner.usage().orElseThrow().cpu().total().orElseThrow()).isPositive();
    assertThat(inner.statistics().orElseThrow().cpu().total().orElseThrow()).isPositive();
    if (LivePlaces.isV1(group, "memory")) {
      assertThat(inner.usage().orElseThrow().memory().current().orElseThrow()).isPositive();
      assertThat(inner.statistics().orElseThrow().memory().current().orElseThrow()).isPositive();
    }
    group.kill(PATIENCE);
  }

  @Test
  @Needs(Feature.ROOT)
  void oneThatIsGoneIsNothing() throws Exception {
    for (Path directory : directories()) {
      Files.createDirectory(directory.resolve("a"));
    }
    NestedGroup nested = group.nested().getFirst();
    assertThat(nested.usage()).isPresent();
    for (Path directory : directories()) {
      Files.delete(directory.resolve("a"));
    }
    assertThat(nested.usage()).isEmpty();
    assertThat(nested.statistics()).isEmpty();
    assertThat(nested.members()).isEmpty();
    assertThat(nested.nested()).isEmpty();
    assertThat(walk()).isEmpty();
    group.remove();
    assertThatThrownBy(nested::usage)
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("the group is removed");
  }

  @Test
  @Needs(Feature.ROOT)
  void nothingStaysOpenHoweverDeepOrManyTheyAre() throws Exception {
    Path at = directories().getLast();
    for (int depth = 0; depth < 30; depth++) {
      at = Files.createDirectory(at.resolve("deep"));
    }
    for (int n = 0; n < 50; n++) {
      Files.createDirectory(directories().getLast().resolve("wide-" + n));
    }
    group.walk(NestedGroup::usage); // opens what the first time opens
    int before = OpenFiles.targets().size();
    List<Integer> meanwhile = new ArrayList<>();
    group.walk(nested -> {
      nested.usage();
      nested.statistics();
      meanwhile.add(OpenFiles.targets().size());
    });
    assertThat(meanwhile).hasSize(80).allMatch(count -> count == before);
    // The positive control: what is open is seen.
    try (var one = Files.newInputStream(Path.of("/proc/self/status"))) {
      assertThat(OpenFiles.targets()).hasSize(before + 1);
    }
  }

  /** A group that is limited binds those nested in it, whatever limits they give themselves. */
  @Test
  @Needs({Feature.ROOT, Feature.PIDS})
  void aNestedGroupHasNoMoreTasksThanTheOneAroundIt() throws Exception {
    group.enableControllers();
    group.apply(Limits.builder().pids(3).build());
    try (Cgroup nested = group.create("nested")) {
      assertThat(nested.apply(Limits.builder().pids(100).build()))
          .extracting(AppliedLimit::isEnforced)
          .containsExactly(true);
      groups.run(nested, "for n in 1 2 3 4 5 6; do sleep 1000 & done; wait");
      await().atMost(PATIENCE).until(() -> group.usage().pids().rejected().orElse(0) > 0);
      assertThat(group.usage().pids().current().orElseThrow()).isLessThanOrEqualTo(3);
      // Two readings are not one moment, and a shell that cannot fork is about to end.
      await()
          .atMost(PATIENCE)
          .untilAsserted(() ->
              assertThat(nested.usage().pids().current())
                  .isEqualTo(group.usage().pids().current()));
      assertThat(group.nested()).extracting(NestedGroup::path).containsExactly("nested");
      nested.kill(PATIENCE);
    }
  }
}
