package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.LimitValue;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Limits are felt, not only written: on v1, hybrid and v2 alike. */
@EveryKernel
@Timeout(300)
class LimitTest {
  private static final Command HOG = Command.of("perl", "-e", "$x = 'a' x 300000000; sleep 100");

  @Test
  @Needs(Feature.MEMORY)
  void aHogIsKilledAndTheReasonIsTold() throws Exception {
    Result result = Run.of(HOG).limits(Limits.builder().memory("64M").build()).run();
    assertThat(result.outcome()).isEqualTo(Outcome.OOM_KILLED);
    assertThat(result.usage().memory().oomKills().orElseThrow()).isPositive();
    result
        .usage()
        .memory()
        .peak()
        .ifPresent(peak -> assertThat(peak).isLessThanOrEqualTo(64L << 20));
    AppliedLimit memory = result.limits().getFirst();
    assertThat(memory.kind()).isEqualTo(LimitKind.MEMORY);
    assertThat(memory.requested()).contains("64M");
    assertThat(memory.effective()).contains(LimitValue.count(67108864));
    assertThat(result.evidence(memory)).isEqualTo(AppliedLimit.Evidence.TRIPPED);
    assertThat(result.limits().get(1).kind()).isEqualTo(LimitKind.SWAP);
    assertThat(result.limits().get(1).requested()).isEmpty();
  }

  @Test
  @Needs(Feature.MEMORY)
  void anOomKillOfADistantMemberEndsTheJob() throws Exception {
    Marked mark = Marked.fresh();
    String hog =
        "use POSIX; exit if fork; POSIX::setsid(); exit if fork; POSIX::setsid();"
            + " $x = 'a' x 300000000; sleep 100";
    Command both =
        Command.of("sh", "-c", "perl -e \"$1\" \"$0\"; exec sleep 1000", mark.text(), hog);
    Result result =
        Run.of(both)
            .limits(Limits.builder().memory("64M").build())
            .timeout(Duration.ofSeconds(60))
            .run();
    assertThat(result.outcome()).isEqualTo(Outcome.OOM_KILLED);
    assertThat(result.wall()).isLessThan(Duration.ofSeconds(50));
    assertThat(mark.alive()).isEmpty();
  }

  /** The kernel looks no further up than to the group whose limit was reached. */
  @Test
  @Needs({Feature.PURE_V2, Feature.MEMORY, Feature.ROOT})
  void anOomKillForTheLimitOfANestedGroupEndsTheJob() throws Exception {
    Marked mark = Marked.fresh();
    String script =
        "cd /sys/fs/cgroup$(sed 's/^0:://' /proc/self/cgroup); mkdir a b; echo 0 >a/cgroup.procs;"
            + " echo +memory >cgroup.subtree_control; echo 16M >b/memory.max;"
            + " echo 0 >b/memory.swap.max; (echo 0 >b/cgroup.procs; exec perl -e"
            + " '$x = \"a\" x 100000000' ); sleep 1000";
    Result result =
        Run.of(Command.of("sh", "-c", script, mark.text())).timeout(Duration.ofSeconds(60)).run();
    assertThat(result.outcome()).isEqualTo(Outcome.OOM_KILLED);
    assertThat(result.wall()).isLessThan(Duration.ofSeconds(50));
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  @Needs(Feature.MEMORY)
  void withoutTheGroupTheCommandsOwnEndCounts() throws Exception {
    Result result =
        Run.of(Command.of("sh", "-c", "perl -e '$x = \"a\" x 300000000'; exit 0"))
            .limits(Limits.builder().memory("64M").oomGroup(false).build())
            .run();
    assertThat(result.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(result.exit().orElseThrow().code()).isZero();
    assertThat(result.usage().memory().oomKills().orElseThrow()).isPositive();
  }

  /** Also of a run that began otherwise. */
  @Test
  @Needs(Feature.MEMORY)
  void whatWasAskedForLastDecides(@TempDir Path directory) throws Exception {
    Path go = directory.resolve("go");
    String script =
        "until [ -e "
            + go
            + " ]; do sleep 0.05; done; perl -e '$x = \"a\" x 300000000'; exec sleep 1000";
    Marked mark = Marked.fresh();
    try (Running running =
        Run.of(Command.of("sh", "-c", script, mark.text()))
            .limits(Limits.builder().memory("64M").oomGroup(false).build())
            .timeout(Duration.ofSeconds(60))
            .start()) {
      running.job().limit(Limits.builder().oomGroup(true).build());
      Files.createFile(go);

      Result result = running.await();

      assertThat(result.outcome()).isEqualTo(Outcome.OOM_KILLED);
      assertThat(result.wall()).isLessThan(Duration.ofSeconds(50));
    }
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  @Needs(Feature.PIDS)
  void aForkBombStaysWithinItsLimit() throws Exception {
    Marked mark = Marked.fresh();
    Result result =
        Run.of(Trees.perl("fork while 1", mark))
            .limits(Limits.builder().pids(8).build())
            .timeout(Duration.ofSeconds(2))
            .run();
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.usage().pids().rejected().orElseThrow()).isPositive();
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  @Needs(Feature.PIDS)
  void theForkThatIsOneTooManyFails() throws Exception {
    int eagain = 11;
    Marked mark = Marked.fresh();
    for (Limits limits :
        List.of(Limits.builder().pids(4).build(), Limits.builder().raw("pids.max=4").build())) {
      try (Job job = Job.builder().limits(limits).open()) {
        Child child = job.start(Trees.forks(mark));
        assertThat(child.stdout().readNBytes(5)).asString().isEqualTo("3 " + eagain + "\n");
      }
    }
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  @Needs(Feature.CPU)
  void cpuTimeIsThrottled() throws Exception {
    Result result =
        Run.of(Command.of("perl", "-e", "1 while 1"))
            .limits(Limits.builder().cpus(0.2).build())
            .timeout(Duration.ofSeconds(2))
            .run();
    // At most 0.55 s, where it is ended as soon as the two seconds are over.
    assertThat(result.usage().cpu().total().orElseThrow())
        .isBetween(Duration.ofMillis(300), result.wall().multipliedBy(55).dividedBy(200));
    assertThat(result.usage().cpu().throttledPeriods().orElseThrow()).isPositive();
    assertThat(result.usage().cpu().throttled().orElseThrow()).isPositive();
  }

  /**
   * The kernel copies the arguments into the memory of the new program, which is charged to the job
   * while whoever asked for the program could still share that memory.
   */
  @Test
  @Needs(Feature.MEMORY)
  void theJvmOutlivesOomKillsAtExec() throws Exception {
    String words = String.join("", Collections.nCopies(100_000, "x"));
    String[] arguments = Collections.nCopies(10, words).toArray(String[]::new);
    int rounds = 30;
    int kills = 0;
    List<Long> keepers = keepers();
    assertThat(keepers).isNotEmpty();
    for (int i = 0; i < rounds; i++) {
      try (Job job =
          Job.builder().limits(Limits.builder().memory("1M").oomGroup(true).build()).open()) {
        try {
          Child child = job.start(Command.of("true", arguments));
          assertThat(child.waitFor().signal()).contains(Signal.KILL);
        } catch (StartException refused) {
          assertThat(refused).hasMessageContaining("E");
        }
        job.close();
        kills += job.usage().memory().oomKills().orElseThrow() > 0 ? 1 : 0;
      }
    }
    assertThat(kills).as("rounds in which the kernel killed").isGreaterThan(rounds * 2 / 3);
    assertThat(keepers()).as("none was killed, and replaced").isEqualTo(keepers);
  }

  private static List<Long> keepers() throws Exception {
    try (Job job = Job.open()) {
      job.start(Command.of("true")).waitFor();
      return Jvm.keepers(ProcessHandle.current()).stream()
          .map(ProcessHandle::pid)
          .sorted()
          .toList();
    }
  }

  /**
   * Starts wait in the throttled job, more of them than there are threads to carry virtual ones;
   * each would stop its carrier if it waited in a system call. The control is virtual threads that
   * do stop theirs.
   */
  @Test
  @Needs(Feature.CPU)
  void aThrottledJobStopsNoOtherVirtualThread() throws Exception {
    int carriers = Runtime.getRuntime().availableProcessors();
    AtomicBoolean done = new AtomicBoolean();
    List<Thread> busy = new ArrayList<>();
    for (int i = 0; i < carriers; i++) {
      busy.add(
          Thread.ofVirtual()
              .start(() -> {
                while (!done.get()) {
                  Thread.onSpinWait();
                }
              }));
    }
    Thread held = Thread.ofVirtual().start(() -> {});
    assertThat(held.join(Duration.ofSeconds(1))).as("the control ran").isFalse();
    done.set(true);
    for (Thread thread : busy) {
      thread.join();
    }
    held.join();

    Marked mark = Marked.fresh();
    try (Job throttled = Job.builder().limits(Limits.builder().cpus(0.01).build()).open()) {
      throttled.start(Trees.busy(mark));
      List<Thread> slow = new ArrayList<>();
      for (int i = 0; i < 2 * carriers; i++) {
        slow.add(
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    throttled.start(Trees.sleeper(mark)).waitFor();
                  } catch (Exception endedMeanwhile) {
                    // the job is killed below
                  }
                }));
      }
      await().until(() -> throttled.usage().cpu().throttledPeriods().orElseThrow() > 3);
      for (int i = 0; i < 50; i++) {
        Thread other = Thread.ofVirtual().start(Thread::yield);
        assertThat(other.join(Duration.ofSeconds(1))).isTrue();
      }
      // Not one of them was through with its program's first instructions.
      assertThat(slow).allMatch(Thread::isAlive);
      // Not a kill, after which they would be started again.
      throttled.close();
      for (Thread thread : slow) {
        thread.join();
      }
    }
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  void processGroupsCannotLimitAndSaySo() throws Exception {
    Limits limits = Limits.builder().memory("64M").build();
    assertThatThrownBy(
            () -> Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).limits(limits).open())
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("memory")
        .hasMessageContaining("process-group");
    try (Job job =
        Job.builder()
            .mechanism(MechanismChoice.PROCESS_GROUP)
            .bestEffort(true)
            .limits(limits)
            .open()) {
      assertThat(job.limits().getFirst().isEnforced()).isFalse();
      assertThat(job.limits().getFirst().reason()).isPresent();
      Marked mark = Marked.fresh();
      job.start(Trees.sleeper(mark));
      mark.await(1);
      assertThat(job.members()).hasSize(1);
      job.kill();
      assertThat(mark.alive()).isEmpty();
    }
  }
}
