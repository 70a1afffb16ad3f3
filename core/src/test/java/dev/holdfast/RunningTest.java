package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Marked;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run under way: what sets its end, and how it is looked after meanwhile. */
@EveryKernel
@Timeout(120)
class RunningTest {
  private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

  private final Marked mark = Marked.fresh();

  @Test
  void closingTwiceIsFine() throws Exception {
    Running running = Run.of(Trees.sleeper(mark)).start();
    mark.await(1);

    running.close();
    running.close();

    assertThat(mark.alive()).isEmpty();
    assertThat(running.job().cleanup().orElseThrow().killedMembers()).isEqualTo(1);
    assertThat(running.await().outcome()).isEqualTo(Outcome.SIGNALED);
  }

  @Test
  void aCancelAfterTheCommandsOwnEndChangesNothing() throws Exception {
    try (Running running = Run.of(Command.of("sh", "-c", "exit 3")).start()) {
      int pid = running.child().pid();
      await().pollInterval(Duration.ofMillis(1)).until(() -> hasEnded(pid));

      running.cancel(Signal.TERM);

      Result result = running.await();
      assertThat(result.outcome()).isEqualTo(Outcome.EXITED);
      assertThat(result.exit().orElseThrow().code()).isEqualTo(3);
    }
  }

  /** The positive control of the above. */
  @Test
  void aCancelBeforeItIsTheCause() throws Exception {
    try (Running running = Run.of(Trees.sleeper(mark)).start()) {
      running.cancel(Signal.TERM);
      assertThat(running.await().outcome()).isEqualTo(Outcome.CANCELLED);
    }
  }

  @Test
  void timesBeyondWhatTheClockCounts() throws Exception {
    for (MechanismChoice mechanism :
        new MechanismChoice[] {
          MechanismChoice.AUTO, MechanismChoice.PID_NAMESPACE, MechanismChoice.PROCESS_GROUP
        }) {
      Run run = Run.of(Command.of("true")).mechanism(mechanism).timeout(FOR_EVER).grace(FOR_EVER);
      assertThat(run.run().isSuccess()).isTrue();
      try (Job job = Job.builder().mechanism(mechanism).closeDeadline(FOR_EVER).open()) {
        Child child = job.start(Command.of("sleep", "0.1"));
        assertThat(child.waitFor(FOR_EVER)).isPresent();
        assertThat(job.awaitEmpty(FOR_EVER)).isTrue();
        job.start(Trees.sleeper(mark));
        mark.await(1);
        job.kill();
        job.start(Trees.sleeper(mark));
        assertThat(job.stop(Signal.TERM, FOR_EVER, true).survivors()).isZero();
        job.start(Trees.sleeper(mark));
      }
      assertThat(mark.alive()).isEmpty();
    }
  }

  @Test
  void aBudgetBeyondWhatTheClockCounts() throws Exception {
    Run run = Run.of(Command.of("true")).cpuTime(FOR_EVER).bestEffort(true);
    assertThat(run.run().isSuccess()).isTrue();
  }

  @Test
  void aBudgetThatNobodyCountsIsToldOfOrRefused() throws Exception {
    Run run =
        Run.of(Command.of("true"))
            .mechanism(MechanismChoice.PROCESS_GROUP)
            .cpuTime(Duration.ofMillis(1500));
    assertThatThrownBy(run::run)
        .isInstanceOf(HoldfastException.class)
        .hasMessageMatching("cannot limit cpu-time with process-group: .+ \\(.+\\)");

    Result result = run.bestEffort(true).run();

    assertThat(result.isSuccess()).isTrue();
    assertThat(result.limits()).hasSize(1);
    AppliedLimit limit = result.limits().getFirst();
    assertThat(limit.kind()).isEqualTo(LimitKind.CPU_TIME);
    assertThat(limit.kind().optionName()).isEqualTo("cpu-time");
    assertThat(limit.requested()).contains("1500ms");
    assertThat(limit.isEnforced()).isFalse();
    assertThat(limit.effective()).isEmpty();
    assertThat(limit.reason().orElseThrow()).contains("cgroup");
  }

  /** A third of the budget is left, more or less, and the job does nothing any more. */
  @Test
  void nothingPilesUpWhileAnIdleJobIsLookedAt(@TempDir Path folder) throws Exception {
    Path idle = folder.resolve("idle");
    Run run =
        Run.of(
                Trees.perl(
                    "while ((times)[0] + (times)[1] < 0.7) {} mkdir \"" + idle + "\"; sleep 1000;",
                    mark))
            .cpuTime(Duration.ofSeconds(1));
    AtomicReference<Object> end = new AtomicReference<>();
    try (Running running = run.start()) {
      Thread waiter =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  end.set(running.await());
                } catch (IOException | InterruptedException failure) {
                  end.set(failure);
                }
              });
      await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(idle));
      // This is a measurement of two seconds, not a wait for something to happen.
      assertThat(waiter.join(Duration.ofSeconds(2))).as("%s", end).isFalse();
      CompletableFuture<Child.Exit> exit = running.child().ending();
      assertThat(exit.getNumberOfDependents()).isLessThan(5);
      running.cancel(Signal.KILL);
      waiter.join();
      assertThat(((Result) end.get()).outcome()).isEqualTo(Outcome.CANCELLED);
    }
  }

  private static boolean hasEnded(int pid) {
    try {
      String text = Files.readString(Path.of("/proc", Integer.toString(pid), "stat"));
      return text.charAt(text.lastIndexOf(')') + 2) == 'Z';
    } catch (IOException reaped) {
      return true;
    }
  }
}
