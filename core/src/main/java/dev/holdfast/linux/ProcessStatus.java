package dev.holdfast.linux;

import org.jspecify.annotations.Nullable;

/**
 * The lines of {@code /proc/PID/status} (proc_pid_status(5)), such as {@code CapEff:\t000001ff}.
 * The program's own name is one of them, with whatever would break it escaped.
 */
public final class ProcessStatus {
  private ProcessStatus() {}

  /** What follows {@code name}, its colon included; null if no line begins so. */
  public static @Nullable String field(String status, String name) {
    int at = status.startsWith(name) ? 0 : status.indexOf("\n" + name) + 1;
    if (at == 0 && !status.startsWith(name)) {
      return null;
    }
    int end = status.indexOf('\n', at);
    return status.substring(at + name.length(), end < 0 ? status.length() : end).strip();
  }
}
