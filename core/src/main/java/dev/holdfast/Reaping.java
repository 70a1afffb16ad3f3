package dev.holdfast;

import dev.holdfast.linux.ExitStatus;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.Poller;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Takes a child's exit status from the kernel when it has ended. The poller refers to this until
 * then, and so it refers neither to the {@link Child} nor to its job: both can be forgotten while
 * the process lives.
 *
 * <p>Thread-safe.
 */
final class Reaping implements ChildProcess {
  private final Pidfd process;
  private final Poller.Watch watch;
  private final CompletableFuture<Child.Exit> exit = new CompletableFuture<>();

  /** Of a child that nobody has reaped; if its end cannot be watched, it is ended at once. */
  Reaping(Pidfd process) throws IOException {
    this.process = process;
    boolean watched = false;
    try {
      this.watch = Poller.shared().watch(process.descriptor());
      this.watch.onEvent(Poller.READABLE, this::reap);
      watched = true;
    } finally {
      if (!watched) {
        process.abandon();
      }
    }
  }

  @Override
  public int pid() {
    return process.pid();
  }

  @Override
  public CompletableFuture<Child.Exit> exit() {
    return exit;
  }

  /** The kernel knows of it before it is reaped. */
  @Override
  public boolean hasEnded() {
    synchronized (process) {
      try {
        return exit.isDone() || process.hasEnded();
      } catch (IOException unknown) {
        return false;
      }
    }
  }

  @Override
  public boolean signal(int signal) throws IOException {
    // Whoever reaps it closes the pidfd, whose number may then be another process's.
    synchronized (process) {
      return !exit.isDone() && process.signal(signal);
    }
  }

  /**
   * Looks for its end for a moment on a platform thread: the usual short run needs no parking. The
   * poller is kept out of it meanwhile, or it would wake up for the same end and get in the way.
   */
  @Override
  public boolean endsBriefly(long deadline) throws IOException {
    if (exit.isDone() || Thread.currentThread().isVirtual()) {
      return exit.isDone();
    }
    try {
      watch.suspend();
      if (process.awaitEndBriefly(deadline)) {
        reap();
      } else {
        watch.onEvent(Poller.READABLE, this::reap);
      }
    } catch (IOException failure) {
      // Closed by the one who reaped it meanwhile: then the exit follows at once.
      if (process.descriptor().isOpen()) {
        throw failure;
      }
    }
    return exit.isDone();
  }

  /** Whoever comes first does it; the others find it done. */
  private void reap() {
    synchronized (process) {
      if (exit.isDone()) {
        return;
      }
      try {
        ExitStatus status = process.reap();
        if (status == null) {
          process.lookAgain(this::reap);
          return;
        }
        watch.close();
        process.close();
        exit.complete(
            new Child.Exit(
                status.code(),
                status.signal() == 0
                    ? Optional.empty()
                    : Optional.of(new Signal(status.signal()))));
      } catch (IOException failure) {
        watch.close();
        process.close();
        exit.completeExceptionally(failure);
      }
    }
  }

  @Override
  public String toString() {
    return process.toString();
  }
}
