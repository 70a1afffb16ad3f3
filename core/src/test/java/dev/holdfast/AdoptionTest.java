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
        Trees.withNumber(
                meant.pid(), "sleep 1000; exit", "print \"again\\n\"; sleep 1000; exit", mark)
            .start();
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
