package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.WallTime;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The end, and the freeze, of jobs of POSIX sessions while children are being started in them. */
@HostAndGuest
@Timeout(180)
class ProcessGroupEndTest {
  @RegisterExtension final Marked mark = Marked.fresh();

  private static Job open() throws Exception {
    return Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open();
  }

  @Test
  void startsBesideKillsAndTheEnd() throws Exception {
    Job job =
        Job.builder()
            .mechanism(MechanismChoice.PROCESS_GROUP)
            // With one processor all that start have to be through with that first.
            .closeDeadline(Duration.ofSeconds(60))
            .open();
    Starters.besideKillsAndTheEnd(job, Trees.sessions(1, mark), mark);
  }

  /**
   * Where nobody is to be killed yet, closing is over before the start is. How long the start has
   * before that, finds the border between too late and in time by itself.
   */
  @Test
  void aStartUnderWayIsEndedByTheEnd() throws Exception {
    int refused = 0;
    int rounds = Place.isGuest() ? 30 : 150;
    double headStart = 100_000;
    for (int round = 0; round < rounds; round++) {
      Job job = open();
      job.start(Command.of("true")).waitFor();
      CompletableFuture<Boolean> start = new CompletableFuture<>();
      Thread.ofPlatform()
          .start(() -> {
            try {
              job.start(Trees.sleeper(mark));
              start.complete(true);
            } catch (HoldfastException closed) {
              start.complete(false);
            } catch (Exception failure) {
              start.completeExceptionally(failure);
            }
          });
      WallTime.pass(Duration.ofNanos((long) headStart));
      job.close();
      boolean inTime = start.get(60, TimeUnit.SECONDS);
      headStart = inTime ? headStart / 1.5 : headStart * 1.5;
      refused += inTime ? 0 : 1;
      assertThat(mark.alive()).as("round " + round).isEmpty();
    }
    assertThat(refused).as("starts that came too late").isPositive().isLessThan(rounds);
  }

  /**
   * When a process ends that alone led to a process group of its session, and somebody in that is
   * stopped, the kernel has the group go on.
   */
  @Test
  void whoTheEndOfItsParentWakesDoesNotGetAway() throws Exception {
    for (int round = 0; round < (Place.isGuest() ? 3 : 10); round++) {
      try (Job job = open()) {
        Child parent =
            job.start(
                Trees.perl(
                        "use POSIX; $| = 1; for (1..60) { if (!fork) { sleep 1000; exit } }"
                            + " if (!fork) { setpgrp; $SIG{HUP} = 'IGNORE';"
                            + " $SIG{CONT} = sub { if (!fork) { POSIX::setsid(); sleep 1000 } };"
                            + " print '.'; sleep 1000 while 1 } sleep 1000",
                        mark)
                    .stdout(Output.pipe()));
        assertThat(parent.stdout().read()).as("ready").isPositive();
        job.kill();
        assertThat(mark.alive()).as("round " + round).isEmpty();
      }
    }
  }

  @Test
  void inAFrozenJobAllStandStillAndNoneIsStarted() throws Exception {
    try (Job job = open()) {
      Child forker =
          job.start(
              Trees.perl(
                      "use POSIX; $| = 1; for (1..400) { if (!fork) { POSIX::setsid(); sleep 1000 while 1 }"
                          + " print '.' } sleep 1000",
                      mark)
                  .stdout(Output.pipe()));
      assertThat(forker.stdout().readNBytes(20)).hasSize(20);
      job.freeze();
      assertThat(mark.alive()).hasSizeGreaterThanOrEqualTo(20).allMatch(pid -> state(pid) == 'T');
      assertThatThrownBy(() -> job.start(Trees.sleeper(mark)))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("frozen")
          .hasMessageContaining("thaw");
      job.thaw();
      assertThat(job.start(Command.of("true")).waitFor().status()).isZero();
      job.freeze();
      job.kill();
      assertThat(mark.alive()).isEmpty();
      assertThat(job.start(Command.of("true")).waitFor().status()).isZero();
    }
  }

  private static char state(long pid) {
    try {
      String stat =
          Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch (java.io.IOException gone) {
      return 'X';
    }
  }

  /** Each asks whether orphans are its own, which concerns the other. */
  @Test
  void twoJobsThatTakeInOrphansAreLookedAtAtTheSameTime() throws Exception {
    Process jvm = Jvm.start(Crossing.class);
    try {
      CompletableFuture<String> said = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(() -> {
            try {
              said.complete(Jvm.line(jvm));
            } catch (java.io.IOException failure) {
              said.completeExceptionally(failure);
            }
          });
      assertThat(said.get(100, TimeUnit.SECONDS)).isEqualTo("done");
    } finally {
      jvm.destroyForcibly();
    }
  }

  /** Looks at two jobs on two threads, and says when it has. */
  public static final class Crossing {
    private Crossing() {}

    public static void main(String[] arguments) throws Exception {
      Job.takeInOrphans();
      int looks = Place.isGuest() ? 50 : 300;
      Thread[] threads = new Thread[2];
      for (int i = 0; i < threads.length; i++) {
        Job job = open();
        threads[i] =
            Thread.ofPlatform()
                .daemon()
                .start(() -> {
                  try {
                    for (int look = 0; look < looks; look++) {
                      job.members();
                    }
                  } catch (java.io.IOException failure) {
                    throw new AssertionError(failure);
                  }
                });
      }
      for (Thread thread : threads) {
        thread.join();
      }
      System.out.println("done");
    }
  }
}
