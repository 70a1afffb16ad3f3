package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.OpenFiles;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.Tool;
import dev.holdfast.testing.Unprivileged;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The end of jobs in pid namespaces, again and again and whatever their members do, judged by the
 * process table: as root, and as a user without any cgroup ({@link PidNamespaceAsNobodyTest}).
 */
@HostAndGuest
@Unprivileged
@Needs(Feature.PID_NAMESPACES)
@Timeout(180)
class PidNamespaceEndTest {
  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  void closingEndsATreeThatTriesToGetAway() throws Exception {
    try (Job job = PidNamespaceTest.open()) {
      assertThat(job.mechanism().text()).isEqualTo("pid-namespace");
      assertThat(job.cgroupPaths()).isEmpty();
      assertThat(job.members()).isEmpty();
      job.start(Trees.daemon(mark)).waitFor();
      job.start(Trees.sessions(3, mark));
      job.start(Trees.stubborn(mark));
      mark.await(6);
      assertThat(job.members())
          .extracting(Integer::longValue)
          .containsExactlyInAnyOrderElementsOf(mark.alive());
      job.close();
      assertThat(job.cleanup().orElseThrow().killedMembers()).isEqualTo(6);
      assertThat(job.cleanup().orElseThrow().removed()).isTrue();
    }
    assertThat(mark.alive()).isEmpty();
  }

  /** The positive control: the same tree, without a job, lives on, and the search finds it. */
  @Test
  void withoutAJobTheTreeGetsAway() throws Exception {
    Trees.getAway(mark);
  }

  /**
   * Each process makes another and ends, for ever: whoever looks for them one by one may find
   * nobody. So each says in a pipe that it was there, and the pipe ends with the last of them.
   */
  @Test
  void aBombThatNeverStandsStillEnds() throws Exception {
    int seen = 200;
    Child bomb;
    try (Job job = PidNamespaceTest.open()) {
      bomb =
          job.start(
              Trees.perl(
                      "for (1..7) { last if !fork }"
                          + " while (1) { syswrite(STDOUT, '.'); $p = fork; exit if $p }",
                      mark)
                  .stdout(Output.pipe()));
      assertThat(bomb.stdout().readNBytes(seen)).hasSize(seen);
      assertThat(bomb.waitFor().status()).isZero();
    }
    assertThat(mark.alive()).isEmpty();
    assertThat(bomb.stdout().readAllBytes()).as("until nobody has the pipe").isNotNull();
  }

  @Test
  void startsAgainAfterAKill() throws Exception {
    try (Job job = PidNamespaceTest.open()) {
      job.kill();
      for (int round = 0; round < 3; round++) {
        job.start(Trees.sessions(3, mark));
        mark.await(4);
        assertThat(job.members()).hasSize(4);
        job.kill();
        assertThat(mark.alive()).isEmpty();
        assertThat(job.members()).isEmpty();
        assertThat(job.start(Command.of("sh", "-c", "exit 3")).waitFor().status()).isEqualTo(3);
      }
    }
  }

  /** Each is killed, or starts in the next namespace; none is left when closing has returned. */
  @Test
  void startsBesideKillsAndTheEnd() throws Exception {
    Starters.besideKillsAndTheEnd(PidNamespaceTest.open(), Trees.daemon(mark), mark);
  }

  /** As when the kernel lacks memory and takes it: the members go with it, the job stays usable. */
  @Test
  void startsAgainWhereTheFirstProcessWasKilled() throws Exception {
    try (Job job = PidNamespaceTest.open()) {
      Child child = job.start(Trees.sleeper(mark));
      mark.await(1);
      ProcessHandle.of(PidNamespaceTest.init()).orElseThrow().destroyForcibly();
      assertThat(child.waitFor().signal()).contains(Signal.KILL);
      assertThat(job.start(Command.of("sh", "-c", "exit 4")).waitFor().status()).isEqualTo(4);
      assertThat(job.usage().cpu().total()).as("what was not counted").isEmpty();
    }
  }

  /** Which somebody of its user may do; its queue takes some hundred orders. */
  @Test
  void aFirstProcessThatIsStoppedKeepsNobodyWaiting() throws Exception {
    try (Job job = PidNamespaceTest.open()) {
      job.start(Trees.sleeper(mark));
      mark.await(1);
      String first = Long.toString(PidNamespaceTest.init());
      Tool.run("kill", "-STOP", first);
      String said = "";
      for (int order = 0; order < 2000 && !said.contains("so many orders"); order++) {
        try {
          job.signal(Signal.CONT);
          said = "nothing";
        } catch (IOException refused) {
          said = String.valueOf(refused.getMessage());
        }
      }
      assertThat(said).contains("holdfast-init").contains("so many orders").contains("continue it");
      job.close();
    }
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  void twoHundredJobsLeaveNeitherDescriptorNorProcess() throws Exception {
    int jobs = Place.isGuest() ? 50 : 200;
    long processes = 0;
    int descriptors = 0;
    for (int i = 0; i < jobs + 5; i++) {
      if (i == 5) {
        processes = ProcessHandle.current().children().count();
        descriptors = OpenFiles.targets().size();
      }
      try (Job job = PidNamespaceTest.open()) {
        assertThat(job.start(Command.of("true")).waitFor().status()).isZero();
        if (i % 10 == 0) {
          job.start(Trees.daemon(mark)).waitFor();
        }
      }
    }
    assertThat(mark.alive()).isEmpty();
    assertThat(ProcessHandle.current().children().count()).isEqualTo(processes);
    assertThat(OpenFiles.targets()).hasSizeLessThanOrEqualTo(descriptors);
  }
}
