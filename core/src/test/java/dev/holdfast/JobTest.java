package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.OpenFiles;
import dev.holdfast.testing.Removal;
import dev.holdfast.testing.WallTime;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a job promises, judged by the process table and the cgroup filesystem. */
@EveryKernel
@Timeout(120)
class JobTest {
  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  void closingEndsATreeThatTriesToGetAway() throws Exception {
    List<Path> directories;
    try (Job job = Job.open()) {
      job.start(Trees.daemon(mark)).waitFor();
      mark.await(1);
      directories = Groups.directoriesOf(job);
      assertThat(directories).isNotEmpty().allSatisfy(path -> assertThat(path).exists());
      assertThat(job.members()).hasSize(1);
      job.close();
      assertThat(job.cleanup().orElseThrow().killedMembers()).isEqualTo(1);
      assertThat(job.cleanup().orElseThrow().removed()).isTrue();
    }
    assertThat(mark.alive()).isEmpty();
    assertThat(directories).allSatisfy(path -> assertThat(path).doesNotExist());
  }

  /** The positive control: the same tree, without a job, lives on, and the search finds it. */
  @Test
  void withoutAJobTheTreeGetsAway() throws Exception {
    Trees.getAway(mark);
  }

  /** {@code cgroup.kill} does not reach it. */
  @Test
  void closingEndsAProcessWhoseFirstThreadHasEnded() throws Exception {
    Job job = Job.open();
    Child child = job.start(Members.of("l", List.of()).stdout(Output.pipe()));
    assertThat(child.stdout().readNBytes(1)).hasSize(1);
    List<Path> directories = Groups.directoriesOf(job);
    job.close();
    assertThat(child.waitFor().signal()).contains(Signal.KILL);
    assertThat(directories).isNotEmpty().allSatisfy(path -> assertThat(path).doesNotExist());
  }

  @Test
  void startsAgainAfterAKill() throws Exception {
    try (Job job = Job.open()) {
      job.start(Trees.sessions(3, mark));
      mark.await(4);
      job.kill();
      assertThat(mark.alive()).isEmpty();
      assertThat(job.start(Command.of("true")).waitFor().status()).isZero();
      job.start(Trees.sleeper(mark));
      mark.await(1);
      assertThat(job.members()).hasSize(1);
      job.kill();
      assertThat(mark.alive()).isEmpty();
      assertThat(job.start(Command.of("sh", "-c", "exit 3")).waitFor().status()).isEqualTo(3);
    }
  }

  @Test
  void killsWhatIsFrozenAndStartsAgain() throws Exception {
    try (Job job = Job.open()) {
      job.start(Trees.busy(mark));
      mark.await(1);
      job.freeze();
      job.kill();
      assertThat(mark.alive()).isEmpty();
      assertThat(job.start(Command.of("true")).waitFor().status()).isZero();
    }
  }

  @Test
  void frozenMembersUseNoCpuAndGoOnWhenThawed() throws Exception {
    try (Job job = Job.open()) {
      job.start(Trees.busy(mark));
      mark.await(1);
      job.freeze();
      Duration frozen = cpu(job);
      // This is a measurement of one second, not a wait for something to happen.
      assertThat(job.awaitEmpty(Duration.ofSeconds(1))).isFalse();
      assertThat(cpu(job).minus(frozen)).isLessThan(Duration.ofMillis(20));
      job.thaw();
      org.awaitility.Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> cpu(job).minus(frozen).toMillis() > 100);
    }
  }

  @Test
  void aStartIntoAFrozenJobIsRefused() throws Exception {
    try (Job job = Job.open()) {
      job.start(Trees.sleeper(mark));
      mark.await(1);
      job.freeze();
      assertThatThrownBy(() -> job.start(Command.of("true")))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("frozen")
          .hasMessageContaining("thaw");
      job.thaw();
      assertThat(job.start(Command.of("true")).waitFor().status()).isZero();
    }
  }

  @Test
  void stoppingAsksFirst() throws Exception {
    try (Job job = Job.open()) {
      job.start(Trees.sessions(2, mark));
      mark.await(3);
      StopReport report = job.stop(Signal.TERM, Duration.ofSeconds(30), true);
      assertThat(report.members()).isEqualTo(3);
      assertThat(report.survivors()).isZero();
      assertThat(report.killed()).isFalse();
      assertThat(mark.alive()).isEmpty();
    }
  }

  @Test
  void stoppingEscalates() throws Exception {
    try (Job job = Job.open()) {
      startReady(job, Trees.stubborn(mark));
      StopReport report = job.stop(Signal.TERM, Duration.ofMillis(100), true);
      assertThat(report.survivors()).isEqualTo(1);
      assertThat(report.killed()).isTrue();
      assertThat(mark.alive()).isEmpty();
    }
  }

  @Test
  void withoutEscalationSurvivorsLiveOnContained() throws Exception {
    List<Path> directories;
    try (Job job = Job.open()) {
      startReady(job, Trees.stubborn(mark));
      directories = Groups.directoriesOf(job);
      StopReport report = job.stop(Signal.TERM, Duration.ofMillis(100), false);
      assertThat(report.survivors()).isEqualTo(1);
      assertThat(report.killed()).isFalse();
    }
    assertThat(mark.alive()).hasSize(1);
    assertThat(Groups.membersOf(directories.getFirst())).isEqualTo(mark.alive());
    // Nothing of the job is held any more.
    assertThat(OpenFiles.targets())
        .noneMatch(file -> directories.stream().anyMatch(file::startsWith));
    mark.end();
    mark.await(0);
    Removal.await(directories);
  }

  @Test
  void adoptsARunningProcessWithItsLaterChildren() throws Exception {
    Process outsider =
        new ProcessBuilder(
                "perl",
                "-e",
                "$|=1; <STDIN>; fork; fork; print \"forked\\n\"; sleep 1000;",
                mark.text())
            .start();
    mark.await(1);
    try (Job job = Job.builder().limits(Limits.builder().pids(3).build()).open()) {
      job.adopt(outsider.toHandle());
      assertThat(job.members()).containsExactly((int) outsider.pid());
      outsider.outputWriter().write("go\n");
      outsider.outputWriter().flush();
      // fork; fork; makes four of one: the limit of 3 lets only two more come.
      mark.await(3);
      assertThat(job.members()).hasSize(3);
      org.awaitility.Awaitility.await("the kernel rejects the fourth")
          .until(() -> job.usage().pids().rejected().orElseThrow() > 0);
    }
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  void adoptingWhatHasEndedIsFine() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    try (Job job = Job.open()) {
      job.adopt(ended.toHandle());
      assertThat(job.members()).isEmpty();
    }
  }

  /** A handle takes the number of a thread, too; a group of the whole process would not hold it. */
  @Test
  void aThreadIsNotAdopted() throws Exception {
    long self = ProcessHandle.current().pid();
    long thread;
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      thread =
          tasks
              .mapToLong(task -> Long.parseLong(task.getFileName().toString()))
              .filter(task -> task != self)
              .findFirst()
              .orElseThrow();
    }
    try (Job job = Job.open()) {
      assertThatThrownBy(() -> job.adopt(ProcessHandle.of(thread).orElseThrow()))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("cannot adopt " + thread + ": it is a thread of a process");
      assertThat(job.members()).isEmpty();
    }
  }

  @Test
  void signalsReachEveryMember() throws Exception {
    Path out = Files.createTempFile("holdfast", ".out");
    try (Job job = Job.open()) {
      Command trap =
          Trees.perl(
              "$|=1; $SIG{USR1}=sub{ exit 7 }; print \"ready\\n\"; sleep 1000 while 1;", mark);
      Child first = startReady(job, trap);
      Child second = startReady(job, trap);
      job.signal(Signal.USR1);
      assertThat(first.waitFor().code()).isEqualTo(7);
      assertThat(second.waitFor().code()).isEqualTo(7);
    } finally {
      Files.delete(out);
    }
  }

  @Test
  void usageStaysReadable() throws Exception {
    Job job = Job.open();
    job.start(Command.of("perl", "-e", "$x += $_ for 1..2000000")).waitFor();
    job.close();
    assertThat(job.usage().cpu().total().orElseThrow()).isGreaterThan(Duration.ofMillis(10));
    job.close();
    assertThat(job.members()).isEmpty();
    assertThatThrownBy(() -> job.start(Command.of("true")))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void anInterruptedWaitLeavesNothingBehind() throws Exception {
    try (Job job = Job.open()) {
      Child child = job.start(Trees.sessions(5, mark));
      mark.await(6);
      Thread.currentThread().interrupt();
      assertThatThrownBy(child::waitFor).isInstanceOf(InterruptedException.class);
      Thread.currentThread().interrupt();
      job.close();
      assertThat(Thread.interrupted()).as("the interrupt is kept").isTrue();
      assertThat(mark.alive()).isEmpty();
    }
  }

  /** Whoever gets an InterruptedException from a start has no child, and there is none. */
  @Test
  void anInterruptedStartLeavesNoMember() throws Exception {
    int rounds = dev.holdfast.testing.Place.isGuest() ? 10 : 200;
    java.util.concurrent.atomic.AtomicInteger held =
        new java.util.concurrent.atomic.AtomicInteger();
    try (Job job = Job.open()) {
      for (int i = 0; i < rounds; i++) {
        Thread starter =
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    job.start(Trees.sleeper(mark));
                    held.incrementAndGet();
                  } catch (InterruptedException expected) {
                    // then there is no member
                  } catch (Exception e) {
                    throw new AssertionError(e);
                  }
                });
        // At another moment of the start each time.
        WallTime.pass(Duration.ofNanos((i % 20) * 100_000L));
        starter.interrupt();
        starter.join();
      }
      org.awaitility.Awaitility.await("members whose start came through")
          .until(() -> job.members().size() == held.get());
    }
    assertThat(held.get()).as("starts that came through").isLessThan(rounds);
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  void limitsCanBeChangedLive() throws Exception {
    try (Job job = Job.builder().limits(Limits.builder().pids(2).build()).open()) {
      assertThat(run(job, "sh", "-c", "sleep 0 & sleep 0 & sleep 0 & wait").isSuccess()).isFalse();
      job.limit(Limits.builder().pids(20).build());
      assertThat(run(job, "sh", "-c", "sleep 0 & sleep 0 & sleep 0 & wait").isSuccess()).isTrue();
      assertThat(job.limits()).hasSize(1);
    }
  }

  private static Child.Exit run(Job job, String program, String... arguments) throws Exception {
    return job.start(Command.of(program, arguments).stderr(Output.discard())).waitFor();
  }

  private static Child startReady(Job job, Command command) throws Exception {
    Child child = job.start(command.stdout(Output.pipe()));
    BufferedReader reader =
        new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.UTF_8));
    assertThat(reader.readLine()).isEqualTo("ready");
    return child;
  }

  private static Duration cpu(Job job) throws Exception {
    return job.usage().cpu().total().orElseThrow();
  }
}
