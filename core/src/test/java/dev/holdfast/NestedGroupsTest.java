package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What members may do with groups that they make inside a job's. */
@EveryKernel
@Needs(Feature.ROOT)
@Timeout(300)
class NestedGroupsTest {
  private static final int LEVELS = 300;

  /** More levels than descriptors. */
  @Test
  void aJobWithGroupsNestedDeepIsReadAndClosed() throws Exception {
    Marked mark = Marked.fresh();
    try {
      Process jvm = Jvm.limited("ulimit -n 200", Deep.class, mark.text());
      List<String> lines = new ArrayList<>();
      for (String line = Jvm.line(jvm); line != null; line = Jvm.line(jvm)) {
        lines.add(line);
      }
      assertThat(jvm.waitFor()).isZero();
      assertThat(lines).hasSize(2).last().isEqualTo("members: 2");
      assertThat(Path.of(lines.getFirst())).doesNotExist();
      assertThat(mark.alive()).isEmpty();
    } finally {
      mark.end();
    }
  }

  /** Makes a job with one member at the top and one at the bottom, tells of them, and closes it. */
  public static final class Deep {
    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[0]);
      try (Job job = Job.open()) {
        Path group = Groups.directoriesOf(job).getFirst();
        System.out.println(group);
        job.start(
            Trees.perl(
                "chdir '"
                    + group
                    + "' or die $!; for (1.."
                    + LEVELS
                    + ") { mkdir 'n' or die $!; chdir 'n' or die $! }"
                    + " if (!fork) { open F, '>', 'cgroup.procs' or die $!; print F $$; close F; }"
                    + " sleep 1000;",
                mark));
        Path deepest = group.resolve("n/".repeat(50));
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> Files.exists(deepest) && mark.alive().size() == 2 + 1);
        // A slow machine is not through with all levels in time at the first look.
        int members =
            Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptionsMatching(late -> late.getMessage().contains("after 2 s"))
                .until(() -> job.members().size(), size -> size == 2);
        System.out.println("members: " + members);
      }
    }
  }

  /** A v1 freezer is one for each group, and what it holds does not notice SIGKILL. */
  @Test
  @Needs(Feature.PURE_V1)
  void whatAMemberFrozeInAGroupOfItsOwnIsKilled() throws Exception {
    Marked mark = Marked.fresh();
    try (Job job = Job.open()) {
      Path group =
          Groups.directoriesOf(job).stream()
              .filter(g -> Files.exists(g.resolve("freezer.state")))
              .findFirst()
              .orElseThrow();
      job.start(Trees.sessions(2, mark));
      mark.await(3);
      Path nested = Files.createDirectories(group.resolve("x/y"));
      long member = Groups.membersOf(group).getLast();
      Files.writeString(nested.resolve("cgroup.procs"), Long.toString(member));
      Files.writeString(nested.resolve("freezer.state"), "FROZEN");
      job.kill();
      assertThat(mark.alive()).isEmpty();
      job.close();
      assertThat(group).doesNotExist();
    } finally {
      mark.end();
    }
  }

  /** A group that stays busy does not make closing take longer than it may. */
  @Test
  @Needs(Feature.HYBRID)
  void removingKeepsToTheDeadline() throws Exception {
    Marked mark = Marked.fresh();
    Process stranger = new ProcessBuilder(Trees.sleeper(mark).words()).start();
    Job job = Job.builder().closeDeadline(Duration.ofMillis(200)).open();
    List<Path> groups = Groups.directoriesOf(job);
    try {
      // Where nobody looks for members: a hierarchy that only limits.
      Path pids =
          groups.stream()
              .filter(g -> Files.exists(g.resolve("pids.max")))
              .findFirst()
              .orElseThrow();
      Files.writeString(pids.resolve("tasks"), Long.toString(stranger.pid()));
      long begin = System.nanoTime();
      assertThatThrownBy(job::close).hasMessageContaining("EBUSY");
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofMillis(700));
    } finally {
      stranger.destroyForcibly().waitFor();
      job.close();
    }
    assertThat(groups).allSatisfy(group -> assertThat(group).doesNotExist());
  }
}
