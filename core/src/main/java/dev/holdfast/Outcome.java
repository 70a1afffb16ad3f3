package dev.holdfast;

import java.util.Locale;

/** Why a run ended. The first cause that set the end counts. */
public enum Outcome {
  /** The command ended by itself with an exit code. */
  EXITED,
  /** A signal ended the command, and none of the causes below. */
  SIGNALED,
  /** The kernel's out-of-memory killer ended the job. */
  OOM_KILLED,
  /** The wall-clock limit passed. */
  TIMED_OUT,
  /** The job used up its CPU time. */
  CPU_TIME_EXCEEDED,
  /** No output for the idle limit. */
  IDLE_TIMED_OUT,
  /** The run was asked to stop. */
  CANCELLED,
  /** The program never ran. */
  FAILED_TO_START;

  /** As reports name it, such as {@code oom-killed}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
