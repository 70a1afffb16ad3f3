package dev.holdfast.cli;

import dev.holdfast.Child;
import dev.holdfast.Outcome;
import dev.holdfast.Result;
import dev.holdfast.StartException;

/** The exit statuses of {@code holdfast}, which follow {@code timeout(1)} and the shells. */
final class ExitCode {
  static final int OK = 0;

  /** {@code doctor}: only a mechanism weaker than a cgroup is available. */
  static final int WEAKER = 1;

  /** {@code sweep}: something dead is still there. */
  static final int LEFT = 1;

  /** A wall, idle or CPU time limit passed. */
  static final int TIME_IS_UP = 124;

  /** We failed, or were asked for nonsense. */
  static final int OUR_FAILURE = 125;

  static final int NOT_EXECUTABLE = 126;
  static final int NOT_FOUND = 127;

  private static final int SIGNAL = 128;
  private static final int KILL = 9;

  private ExitCode() {}

  static int ofSignal(int number) {
    return SIGNAL + number;
  }

  static int of(StartException failure) {
    if (failure.isNotFound()) {
      return NOT_FOUND;
    }
    return failure.isNotExecutable() ? NOT_EXECUTABLE : OUR_FAILURE;
  }

  /**
   * The status for a command that was started.
   *
   * @param stopSignal the signal that told us to stop, or 0
   */
  static int of(Result result, int stopSignal) {
    Outcome outcome = result.outcome();
    if (outcome == Outcome.OOM_KILLED) {
      return ofSignal(KILL);
    }
    if (outcome == Outcome.TIMED_OUT
        || outcome == Outcome.IDLE_TIMED_OUT
        || outcome == Outcome.CPU_TIME_EXCEEDED) {
      return TIME_IS_UP;
    }
    if (outcome == Outcome.CANCELLED && stopSignal != 0) {
      return ofSignal(stopSignal);
    }
    Child.Exit exit = result.exit().orElse(null);
    return exit == null ? OUR_FAILURE : exit.status();
  }
}
