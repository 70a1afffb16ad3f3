package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.containment.Container;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.ProcessTable;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;

/** Takes a running process into a job, and makes sure that it is the one that was meant. */
final class Adoption {
  /**
   * ProcessHandle gives start times in clock ticks of 10 ms, computed from a boot time that is
   * rounded.
   */
  private static final Duration TICK = Duration.ofMillis(20);

  private Adoption() {}

  static void adopt(Container container, ProcessHandle process) throws IOException {
    int pid = Math.toIntExact(process.pid());
    Pidfd pinned = Pidfd.openIfPresent(pid);
    if (pinned == null) {
      return;
    }
    try (pinned) {
      ProcessTable.Entry entry = ProcessTable.system().entry(pid);
      if (entry == null || !entry.isAlive() || pinned.hasEnded() || !isSame(process)) {
        return;
      }
      container.adopt(pid);
      if (pinned.hasEnded()) {
        return;
      }
      ProcessTable.Entry after = ProcessTable.system().entry(pid);
      if (after != null && after.startTicks() != entry.startTicks()) {
        throw new HoldfastException(
            "cannot adopt pid " + pid,
            "it ended meanwhile and its number was given to another process",
            "look at that process",
            null);
      }
    }
  }

  /**
   * A handle remembers when its process started: another process of the same number started later.
   */
  private static boolean isSame(ProcessHandle process) {
    Instant then = process.info().startInstant().orElse(null);
    Instant now =
        ProcessHandle.of(process.pid()).flatMap(p -> p.info().startInstant()).orElse(null);
    return then == null || now == null || Duration.between(then, now).abs().compareTo(TICK) <= 0;
  }
}
