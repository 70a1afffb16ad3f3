package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A process id that is used again denotes somebody else. */
@InGuest
@Needs({Feature.ROOT, Feature.NEXT_PID})
@Timeout(120)
class AdoptionTest {
  /** Forks until a child has the number that is asked for, and stays that child's parent. */
  private static final String AGAIN =
      "my $pid = shift; for (1 .. 1000) {"
          + " open my $f, '>', '/proc/sys/kernel/ns_last_pid' or die $!; print $f $pid - 1; close $f;"
          + " my $child = fork; if (!$child) { sleep 1000; exit }"
          + " if ($child == $pid) { $| = 1; print \"again\\n\"; sleep 1000; exit }"
          + " kill 9, $child; waitpid $child, 0; } print \"never\\n\"";

  private final Marked mark = Marked.fresh();

  @AfterEach
  void end() {
    mark.end();
  }

  @Test
  void aStrangerWithTheNumberOfOneThatEndedIsLeftAlone() throws Exception {
    Process meant = new ProcessBuilder(Trees.sleeper(mark).words()).start();
    mark.await(1);
    ProcessHandle handle = meant.toHandle();
    meant.destroyForcibly();
    meant.waitFor();
    Process parent =
        new ProcessBuilder("perl", "-e", AGAIN, Long.toString(meant.pid()), mark.text()).start();
    assertThat(parent.inputReader().readLine()).isEqualTo("again");
    List<Long> strangers = mark.alive();
    assertThat(strangers).hasSize(2).contains(meant.pid());

    try (Job job = Job.open()) {
      job.adopt(handle);
      assertThat(job.members()).isEmpty();
    }

    assertThat(mark.alive()).containsExactlyInAnyOrderElementsOf(strangers);
  }
}
