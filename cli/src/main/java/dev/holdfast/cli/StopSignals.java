package dev.holdfast.cli;

import dev.holdfast.Running;
import dev.holdfast.Signal;
import org.jspecify.annotations.Nullable;
import sun.misc.SignalHandler;

/**
 * Being told to stop: SIGHUP, SIGINT and SIGTERM, from here until {@link #close}. One that is
 * ignored when we start ({@code nohup}) stays ignored: the JVM sees to that.
 *
 * <p>Thread-safe: the JVM calls handlers on threads of its own.
 */
final class StopSignals implements AutoCloseable {
  private static final String[] NAMES = {"HUP", "INT", "TERM"};

  private final boolean terminal;
  private final Thread starter = Thread.currentThread();
  private final @Nullable SignalHandler[] before = new SignalHandler[NAMES.length];
  private @Nullable Running running;
  private boolean started;
  private int received;

  /**
   * Catches the signals.
   *
   * @param terminal whether the command shares our terminal, whose Ctrl-C it has got already
   */
  StopSignals(boolean terminal) {
    this.terminal = terminal;
    for (int i = 0; i < NAMES.length; i++) {
      try {
        before[i] = sun.misc.Signal.handle(new sun.misc.Signal(NAMES[i]), this::stop);
      } catch (IllegalArgumentException reserved) {
        // java -Xrs: the signal then ends us at once, and the keeper ends the job.
      }
    }
  }

  /** The first one, or 0. */
  synchronized int received() {
    return received;
  }

  /** From now on it is this that a signal stops; until now it was the thread that starts it. */
  synchronized void started(Running run) {
    running = run;
    started = true;
    if (received != 0) {
      Thread.interrupted();
      cancel(run);
    }
  }

  private synchronized void stop(sun.misc.Signal signal) {
    if (received != 0) {
      return;
    }
    received = signal.getNumber();
    if (running != null) {
      cancel(running);
    } else if (!started) {
      starter.interrupt();
    }
  }

  private void cancel(Running run) {
    if (terminal && received == Signal.INT.number()) {
      run.cancelWithoutSignal();
    } else {
      run.cancel(new Signal(received));
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      started = true;
      running = null;
    }
    for (int i = 0; i < NAMES.length; i++) {
      SignalHandler handler = before[i];
      if (handler != null) {
        sun.misc.Signal.handle(new sun.misc.Signal(NAMES[i]), handler);
      }
    }
  }
}
