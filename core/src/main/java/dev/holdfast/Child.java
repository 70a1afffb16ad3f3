package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.linux.Deadline;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A process that we started in a job. It is reaped by itself when it ends, whether or not somebody
 * waits for it; no thread belongs to it, except to those of {@link Mechanism#PROCESS_TREE}.
 *
 * <p>Thread-safe. Closing its {@link Job} ends it.
 */
public final class Child {
  private final ChildProcess process;
  private final @Nullable OutputStream stdin;
  private final @Nullable InputStream stdout;
  private final @Nullable InputStream stderr;

  /** A job is closed when it is forgotten: not while somebody holds one of its children. */
  @SuppressWarnings("unused")
  private @Nullable Job job;

  /** How a child ended: with an exit code, or by a signal. */
  public record Exit(int code, Optional<Signal> signal) {
    /** As a shell counts: the code itself, or 128 and the signal's number. */
    public int status() {
      return signal.map(s -> 128 + s.number()).orElse(code);
    }

    public boolean isSuccess() {
      return signal.isEmpty() && code == 0;
    }
  }

  Child(
      ChildProcess process,
      @Nullable OutputStream stdin,
      @Nullable InputStream stdout,
      @Nullable InputStream stderr) {
    this.process = process;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** The process id. Once the child has ended it may come to denote another process. */
  public int pid() {
    return process.pid();
  }

  /**
   * What the program reads as stdin.
   *
   * @throws IllegalStateException unless the command's stdin is {@link Input#pipe}
   */
  public OutputStream stdin() {
    return piped(stdin, "stdin");
  }

  /**
   * What the program writes to stdout.
   *
   * @throws IllegalStateException unless the command's stdout is {@link Output#pipe}
   */
  public InputStream stdout() {
    return piped(stdout, "stdout");
  }

  /**
   * What the program writes to stderr.
   *
   * @throws IllegalStateException unless the command's stderr is {@link Output#pipe}
   */
  public InputStream stderr() {
    return piped(stderr, "stderr");
  }

  /** Waits until it has ended. Members of the job that it started may live on. */
  public Exit waitFor() throws IOException, InterruptedException {
    return await(Deadline.NONE)
        .orElseThrow(() -> new AssertionError("a wait without a deadline ended without an exit"));
  }

  /** As {@link #waitFor()}; empty if it has not ended within {@code time}. */
  public Optional<Exit> waitFor(Duration time) throws IOException, InterruptedException {
    return await(Deadline.in(time));
  }

  /** How it ended; empty while it lives. */
  public Optional<Exit> exit() {
    CompletableFuture<Exit> exit = process.exit();
    return exit.isDone() && !exit.isCompletedExceptionally()
        ? Optional.of(exit.join())
        : Optional.empty();
  }

  /**
   * Completes when it has ended. The poller's thread completes it: hand longer work to an executor.
   */
  public CompletableFuture<Exit> onExit() {
    return process.exit().copy();
  }

  /**
   * Sends it, and it alone, a signal; false if it has ended.
   *
   * @throws HoldfastException if it is neither SIGTERM nor SIGKILL, with {@link
   *     Mechanism#PROCESS_TREE}
   */
  public boolean signal(Signal signal) throws IOException {
    return process.signal(signal.number());
  }

  Optional<Exit> await(long deadline) throws IOException, InterruptedException {
    endsBriefly(deadline);
    CompletableFuture<Exit> exit = process.exit();
    try {
      if (deadline == Deadline.NONE) {
        return Optional.of(exit.get());
      }
      return Optional.of(exit.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException late) {
      return Optional.empty();
    } catch (ExecutionException failure) {
      throw new IOException(
          "how pid " + pid() + " ended is not known: " + failure.getMessage(), failure);
    }
  }

  /** As {@link #onExit}, for those who neither complete it nor leave anything at it. */
  CompletableFuture<Exit> ending() {
    return process.exit();
  }

  /** As {@link ChildProcess#hasEnded}. */
  boolean hasEnded() {
    return process.hasEnded();
  }

  /** As {@link ChildProcess#endsBriefly}. */
  boolean endsBriefly(long deadline) throws IOException {
    return process.endsBriefly(deadline);
  }

  void keep(Job owner) {
    job = owner;
  }

  private static <T> T piped(@Nullable T stream, String name) {
    if (stream == null) {
      throw new IllegalStateException("the command's " + name + " is not a pipe");
    }
    return stream;
  }

  @Override
  public String toString() {
    return "Child[" + process + "]";
  }
}
