package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Usage;
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

  /** How the members are asked to end; without a signal, somebody else has asked them. */
  private record Ending(@Nullable Signal signal) {}

  Running(Run run, Command command, Job job) throws IOException, InterruptedException {
    this.run = run;
    this.command = command;
    this.job = job;
    this.startedAt = Instant.now();
    this.begin = System.nanoTime();
    try {
      CpuBudget.check(run, job);
      this.oom = run.limits().oomGroup() ? OomGroup.start(job) : null;
      this.child = job.start(command);
    } catch (StartException failure) {
      close();
      throw failure.with(result(Outcome.FAILED_TO_START, Optional.empty()));
    } catch (IOException | InterruptedException | RuntimeException failure) {
      try {
        close();
      } catch (IOException second) {
        failure.addSuppressed(second);
      }
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
    cause.compareAndSet(null, Outcome.CANCELLED);
    cancelled.complete(new Ending(signal));
  }

  /**
   * As {@link #cancel}, for members that somebody else has asked to end, as a terminal does with
   * Ctrl-C: only the grace begins.
   */
  public void cancelWithoutSignal() {
    cause.compareAndSet(null, Outcome.CANCELLED);
    cancelled.complete(new Ending(null));
  }

  /**
   * Waits for the end, ends the tree, and tells what became of it. Where something of the tree
   * could not be ended or removed, {@link Cleanup#removed} says so; that is no exception here.
   */
  public Result await() throws IOException, InterruptedException {
    try (this) {
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
    }
  }

  private void stop(Ending ending) throws IOException, InterruptedException {
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
      job.close();
    } catch (IOException left) {
      if (job.cleanup().isEmpty()) {
        throw left;
      }
      return child.waitFor(Duration.ZERO);
    }
    return Optional.of(child.waitFor());
  }

  /** Ends the tree at once. */
  @Override
  public void close() throws IOException {
    if (oom != null) {
      oom.close();
    }
    job.close();
  }

  /**
   * Null when the command has ended; otherwise something else set the end, and the job is to be
   * asked in this way.
   */
  private @Nullable Ending awaitEndOrCause() throws IOException, InterruptedException {
    long wall = run.timeout().map(t -> begin + t.toNanos()).orElse(Long.MAX_VALUE);
    CpuBudget cpu = run.cpuTime().map(budget -> new CpuBudget(job, budget)).orElse(null);
    while (true) {
      long wake = cpu == null ? wall : Math.min(wall, cpu.nextLook());
      if (awaitChildOrCancel(wake)) {
        if (child.onExit().isDone()) {
          // Its own end came first: a cancel from now on changes nothing.
          cause.compareAndSet(null, Outcome.EXITED);
          return null;
        }
        return cancelled.join();
      }
      if (System.nanoTime() - wall >= 0) {
        cause.compareAndSet(null, Outcome.TIMED_OUT);
        return new Ending(run.signal());
      }
      if (cpu != null && cpu.isExceeded()) {
        cause.compareAndSet(null, Outcome.CPU_TIME_EXCEEDED);
        return new Ending(run.signal());
      }
    }
  }

  private boolean awaitChildOrCancel(long deadline) throws IOException, InterruptedException {
    if (!cancelled.isDone() && child.endsBriefly(deadline)) {
      return true;
    }
    CompletableFuture<Object> either = CompletableFuture.anyOf(child.onExit(), cancelled);
    try {
      if (deadline == Long.MAX_VALUE) {
        either.get();
      } else {
        either.get(Math.max(deadline - System.nanoTime(), 0), TimeUnit.NANOSECONDS);
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
    if (run.limits().oomGroup() && usage.memory().oomKills().orElse(0) > 0) {
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
