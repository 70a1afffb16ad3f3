package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.containment.CgroupContainer;
import dev.holdfast.containment.Container;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.ProcessTable;
import java.io.IOException;

/** Takes a running process into a job, and makes sure that it is the one that was meant. */
final class Adoption {
  private Adoption() {}

  static void adopt(Container container, ProcessHandle process) throws IOException {
    int pid = Math.toIntExact(process.pid());
    if (!(container instanceof CgroupContainer)) {
      container.adopt(pid); // which says why not
      return;
    }
    Pidfd pinned = Pidfd.openIfPresent(pid);
    if (pinned == null) {
      if (process.isAlive()) {
        throw new HoldfastException(
            "cannot adopt " + pid, "it is a thread of a process", "adopt the whole process", null);
      }
      return;
    }
    try (pinned) {
      ProcessTable.Entry entry = ProcessTable.system().entry(pid);
      // Whoever has the number now is pinned. A handle remembers when its process started, and is
      // alive only if whoever has the number started then.
      if (entry == null || !process.isAlive() || pinned.hasEnded()) {
        return;
      }
      container.adopt(pid);
      ProcessTable.Entry after = pinned.hasEnded() ? ProcessTable.system().entry(pid) : null;
      if (after != null && after.startTicks() != entry.startTicks()) {
        throw new HoldfastException(
            "cannot adopt pid " + pid,
            "it ended meanwhile and its number was given to another process",
            "look at that process",
            null);
      }
    }
  }
}
