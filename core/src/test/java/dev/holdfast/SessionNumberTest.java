package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The number of a session that is over may be that of a stranger's later. */
@InGuest
@Needs({Feature.ROOT, Feature.NEXT_PID})
@Timeout(120)
class SessionNumberTest {
  /** Leads a session, leaves a process in it, and ends. */
  private static final String LEADER =
      "POSIX::setsid(); exit if fork; print getpgrp() == $pid ? \"again\\n\" : \"?\\n\"; sleep 1000; exit";

  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  void aStrangersSessionIsLeftAlone() throws Exception {
    try (Job job = Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open()) {
      Child over = job.start(Command.of("true"));
      assertThat(over.waitFor().status()).isZero();
      Process parent =
          Trees.withNumber(over.pid(), LEADER, "waitpid $child, 0; exit", mark).start();
      assertThat(parent.inputReader().readLine()).isEqualTo("again");
      assertThat(parent.waitFor()).isZero();
      List<Long> strangers = mark.alive();
      assertThat(strangers).hasSize(1);

      assertThat(job.members()).isEmpty();
      job.close();

      assertThat(mark.alive()).isEqualTo(strangers);
    } finally {
      mark.end();
    }
  }
}
