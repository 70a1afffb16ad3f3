package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A job's directory that cannot be removed: root has put a stranger into its v1 group alone, where
 * nobody looks for members.
 */
@EveryKernel
@Needs({Feature.ROOT, Feature.CGROUP_V1, Feature.PIDS})
@Timeout(120)
class RemovalTest {
  private final Marked mark = Marked.fresh();

  @AfterEach
  void endStrangers() {
    mark.end();
  }

  @Test
  void theResultIsThereAllTheSameAndTheEndComesOnce() throws Exception {
    Running running =
        Run.of(Command.of("sh", "-c", "sleep 1000 & read x; exit 3").stdin(Input.pipe())).start();
    Path directory = occupy(running.job());
    running.child().stdin().close();
    long begin = System.nanoTime();

    Result result = running.await();

    assertThat(result.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(result.exit().orElseThrow().code()).isEqualTo(3);
    assertThat(result.cleanup().removed()).isFalse();
    assertThat(result.cleanup().killedMembers()).isEqualTo(1);
    assertThat(result.usage().cpu().total()).isPresent();
    assertThat(mark.alive()).as("no member, and so not ended").hasSize(1);
    long closing = System.nanoTime();
    running.close();
    running.close();
    assertThat(Duration.ofNanos(System.nanoTime() - closing)).isLessThan(Duration.ofSeconds(1));
    assertThat(Duration.ofNanos(closing - begin)).isLessThan(Duration.ofSeconds(12));
    assertThat(running.job().cleanup()).contains(result.cleanup());
    leave(running.job(), directory);
  }

  @Test
  void theErrorHasOneReasonAndOneRemedy() throws Exception {
    Job job = Job.open();
    job.start(Command.of("sleep", "1000"));
    Path directory = occupy(job);

    assertThatThrownBy(job::close)
        .isInstanceOf(HoldfastException.class)
        .hasMessageMatching("cannot close the job: [^()]*EBUSY[^()]* \\([^()]*\\)")
        .hasMessageContaining(directory.toString());

    Cleanup first = job.cleanup().orElseThrow();
    assertThat(first.killedMembers()).isEqualTo(1);
    leave(job, directory);
    Cleanup second = job.cleanup().orElseThrow();
    assertThat(second.removed()).isTrue();
    assertThat(second.killedMembers()).as("counted before the first try").isEqualTo(1);
  }

  private Path occupy(Job job) throws IOException {
    Process stranger = new ProcessBuilder(Trees.sleeper(mark).words()).start();
    mark.await(1);
    for (Path directory : Groups.directoriesOf(job)) {
      if (Files.exists(directory.resolve("pids.max"))) {
        Files.writeString(directory.resolve("cgroup.procs"), Long.toString(stranger.pid()));
        return directory;
      }
    }
    throw new AssertionError("no v1 directory with the pids controller");
  }

  private void leave(Job job, Path directory) throws IOException {
    mark.end();
    mark.await(0);
    job.close();
    assertThat(directory).doesNotExist();
  }
}
