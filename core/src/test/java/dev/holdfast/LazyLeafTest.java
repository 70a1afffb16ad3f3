package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Removal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Where v2 has none of the usual controllers our processes stay where they are, and move only when
 * a group asks for one that it has: seen from within a group on a hybrid host whose v2 has huge
 * pages.
 */
@HostOnly
@Needs({Feature.HYBRID, Feature.ROOT})
@Timeout(60)
class LazyLeafTest {
  private Path group;
  private Process stranger;

  @BeforeEach
  void makeGroup() throws IOException {
    Path top = unified();
    assumeTrue(
        words(top.resolve("cgroup.controllers")).contains("hugetlb"), "v2 has no huge pages");
    assumeTrue(
        words(top.resolve("cgroup.controllers")).stream()
            .noneMatch(Set.of("memory", "cpu", "pids")::contains),
        "v2 has the usual controllers");
    Files.writeString(top.resolve("cgroup.subtree_control"), "+hugetlb");
    group = Files.createDirectory(top.resolve("lazy-leaf-" + System.nanoTime()));
  }

  @AfterEach
  void removeGroup() throws Exception {
    if (stranger != null) {
      stranger.destroyForcibly().waitFor();
    }
    if (group != null) {
      Removal.await(List.of(group.resolve("holdfast.leaf"), group));
    }
  }

  @Test
  void ourProcessesMoveWhenAGroupAsks() throws Exception {
    List<String> seen = member("move");
    assertThat(seen)
        .containsExactly(
            "owned",
            "/" + group.getFileName(),
            "",
            "/" + group.getFileName() + "/holdfast.leaf",
            "hugetlb",
            "limited");
  }

  @Test
  void nothingMovesWhereAStrangerIs() throws Exception {
    stranger = new ProcessBuilder("sleep", "1000").start();
    Files.writeString(group.resolve("cgroup.procs"), Long.toString(stranger.pid()));
    List<String> seen = member("stay");
    assertThat(seen)
        .containsExactly(
            "owned", "/" + group.getFileName(), "", "/" + group.getFileName(), "", "not limited");
  }

  private List<String> member(String name) throws Exception {
    Process jvm = Jvm.start(Member.class, group.toString(), name);
    try {
      List<String> lines = jvm.inputReader().lines().toList();
      assertThat(jvm.waitFor()).isZero();
      return lines;
    } finally {
      jvm.destroyForcibly().waitFor();
    }
  }

  /** Joins a group, finds what is ours, and makes a group that asks for huge pages. */
  static final class Member {
    public static void main(String[] arguments) throws Exception {
      Path group = Path.of(arguments[0]);
      Files.writeString(group.resolve("cgroup.procs"), "0");
      Delegation ours = Delegation.find();
      System.out.println(ours.kind().text());
      try (Cgroup one = ours.create("lazy-" + arguments[1])) {
        print(group);
        one.use(Set.of("hugetlb"));
        print(group);
        boolean limited =
            Files.exists(one.unifiedDirectory().orElseThrow().resolve("hugetlb.2MB.max"));
        System.out.println(limited ? "limited" : "not limited");
      }
    }

    private static void print(Path group) throws IOException {
      for (String line : Files.readAllLines(Path.of("/proc/self/cgroup"))) {
        if (line.startsWith("0::")) {
          System.out.println(line.substring(3));
        }
      }
      System.out.println(Files.readString(group.resolve("cgroup.subtree_control")).strip());
    }
  }

  private static Path unified() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String[] fields = line.split(" ", -1);
      if (fields[2].equals("cgroup2")) {
        return Path.of(fields[1]);
      }
    }
    throw new AssertionError("no v2 hierarchy is mounted");
  }

  private static Set<String> words(Path file) throws IOException {
    return new TreeSet<>(List.of(Files.readString(file).strip().split(" ", -1)));
  }
}
