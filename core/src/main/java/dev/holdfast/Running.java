package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.linux.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Run} that is under way.
 *
 * <p>Thread-safe; one thread awaits the end, others may {@link #cancel}.
 */
public final class Running implements AutoCloseable {
  /** For a command that is over, where something else of its job is left. */
  private static final Duration REAPING = Duration.ofMillis(100);

  private final Run run;
  private final Command command;
  private final Job job;
  private final Child child;
  private final Instant startedAt;
  private final long begin;
  private final AtomicReference<@Nullable Outcome> cause = new AtomicReference<>();
  private final CompletableFuture<Ending> cancelled = new CompletableFuture<>();
  private final @Nullable OutputPump stdout;
  private final @Nullable OutputPump stderr;
  private final @Nullable OomGroup oom;
  private final @Nullable CpuBudget budget;

  /** How the members are asked to end; without a signal, somebody else has asked them. */
  private record Ending(@Nullable Signal signal) {}

  Running(Run run, Command command, Job job) throws IOException, InterruptedException {
    this.run = run;
    this.command = command;
    this.job = job;
    this.startedAt = Instant.now();
    this.begin = System.nanoTime();
    try {
      if (!run.signal().equals(Signal.TERM)) {
        job.lifetime().container().checkSignal(run.signal().number());
      }
      this.budget = CpuBudget.of(run, job);
      this.oom = OomGroup.start(job);
      this.child = job.start(command);
      if (budget != null) {
        Stop.rehearse(job);
      }
    } catch (StartException failure) {
      closeAfter(failure);
      throw failure.with(result(Outcome.FAILED_TO_START, Optional.empty()));
    } catch (IOException | InterruptedException | RuntimeException | Error failure) {
      closeAfter(failure);
      throw failure;
    }
    this.stdout = command.stdout() instanceof Output.Piped ? OutputPump.of(child.stdout()) : null;
    this.stderr = command.stderr() instanceof Output.Piped ? OutputPump.of(child.stderr()) : null;
  }

  /** The job it runs in. */
  public Job job() {
    return job;
  }

  /** The command's process. Its piped stdout and stderr are being captured. */
  public Child child() {
    return child;
  }

  /**
   * Asks the members to end with {@code signal}, and ends them after the grace. The outcome is
   * {@link Outcome#CANCELLED}, unless something else had set the end before.
   */
  public void cancel(Signal signal) {
    setCause(Outcome.CANCELLED);
    cancelled.complete(new Ending(signal));
  }

  /**
   * As {@link #cancel}, for members that somebody else has asked to end, as a terminal does with
   * Ctrl-C: only the grace begins.
   */
  public void cancelWithoutSignal() {
    setCause(Outcome.CANCELLED);
    cancelled.complete(new Ending(null));
  }

  /**
   * Something other than the command's own end sets the end of the run, unless that came first: the
   * kernel knows of it before we do. False if so.
   */
  private boolean setCause(Outcome other) {
    cause.compareAndSet(null, child.hasEnded() ? Outcome.EXITED : other);
    return cause.get() != Outcome.EXITED;
  }

  /**
   * Waits for the end, ends the tree, and tells what became of it. Where something of the tree
   * could not be ended or removed, {@link Cleanup#removed} says so; that is no exception here.
   */
  public Result await() throws IOException, InterruptedException {
    try {
      Ending ending = awaitEndOrCause();
      if (ending != null) {
        stop(ending);
      }
      Optional<Child.Exit> exit = end();
      if (stdout != null) {
        stdout.awaitEnd();
      }
      if (stderr != null) {
        stderr.awaitEnd();
      }
      return result(outcome(exit), exit);
    } catch (IOException | InterruptedException | RuntimeException | Error failure) {
      closeAfter(failure);
      throw failure;
    }
  }

  private void stop(Ending ending) throws InterruptedException {
    try {
      StopReport report =
          Stop.stop(job, job.lifetime(), ending.signal(), run.grace(), /* escalate= */ true);
      job.lifetime().countKilled(report.members());
    } catch (IOException notDrained) {
      // Closing tries again, and tells.
    }
  }

  /** Closes the job; empty if the command itself outlives even that (uninterruptible sleep). */
  private Optional<Child.Exit> end() throws IOException, InterruptedException {
    try {
      close();
    } catch (IOException left) {
      // The cleanup says so.
    }
    return job.cleanup().filter(Cleanup::removed).isPresent()
        ? Optional.of(child.waitFor())
        : child.waitFor(REAPING);
  }

  /**
   * Ends the tree at once. The end comes once: closing again does nothing, even where something is
   * left (but {@link Job#close} of {@link #job} tries again).
   */
  @Override
  public void close() throws IOException {
    if (oom != null) {
      oom.close();
    }
    job.lifetime().closeOnce();
  }

  private void closeAfter(Throwable failure) {
    try {
      close();
    } catch (IOException second) {
      failure.addSuppressed(second);
    }
  }

  /**
   * Null when the command has ended; otherwise something else set the end, and the job is to be
   * asked in this way.
   */
  private @Nullable Ending awaitEndOrCause() throws IOException, InterruptedException {
    long wall = run.timeout().map(time -> Deadline.after(begin, time)).orElse(Deadline.NONE);
    if (!cancelled.isDone() && child.endsBriefly(wall)) {
      setCause(Outcome.EXITED);
      return null;
    }
    CompletableFuture<Object> either = CompletableFuture.anyOf(child.ending(), cancelled);
    while (true) {
      if (isDone(either, budget == null ? wall : Math.min(wall, budget.nextLook()))) {
        return setCause(Outcome.CANCELLED) ? cancelled.join() : null;
      }
      if (System.nanoTime() - wall >= 0) {
        return setCause(Outcome.TIMED_OUT) ? new Ending(run.signal()) : null;
      }
      if (budget != null && budget.isExceeded()) {
        return setCause(Outcome.CPU_TIME_EXCEEDED) ? new Ending(run.signal()) : null;
      }
    }
  }

  private static boolean isDone(CompletableFuture<?> future, long deadline)
      throws IOException, InterruptedException {
    try {
      if (deadline == Deadline.NONE) {
        future.get();
      } else {
        future.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
      return true;
    } catch (TimeoutException late) {
      return false;
    } catch (ExecutionException failure) {
      throw new IOException(failure.getCause());
    }
  }

  private Outcome outcome(Optional<Child.Exit> exit) throws IOException {
    Usage usage = job.usage();
    if (OomGroup.isOf(job) && usage.memory().oomKills().orElse(0) > 0) {
      return Outcome.OOM_KILLED;
    }
    Outcome set = cause.get();
    if (set != null && set != Outcome.EXITED) {
      return set;
    }
    return exit.isPresent() && exit.get().signal().isEmpty() ? Outcome.EXITED : Outcome.SIGNALED;
  }

  private Result result(Outcome outcome, Optional<Child.Exit> exit) throws IOException {
    return new Result(
        job.name(),
        command.words(),
        job.mechanism(),
        job.cgroupPaths(),
        outcome,
        exit,
        startedAt,
        Duration.ofNanos(System.nanoTime() - begin),
        job.usage(),
        job.limits(),
        job.cleanup()
            .orElseThrow(() ->
                new HoldfastException(
                    "cannot report", "the job is still open", "close it first", null)),
        stdout == null ? CapturedOutput.NOTHING : stdout.captured(),
        stderr == null ? CapturedOutput.NOTHING : stderr.captured());
  }
}
