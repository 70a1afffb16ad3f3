package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Pidfd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Signals every member of a group, and nobody else. */
final class Sweep {
  /** How many processes are pinned at once: each takes a descriptor. */
  private static final int BATCH = 256;

  private Sweep() {}

  /**
   * Signals the members that are there now. A number read from {@code cgroup.procs} may belong to
   * another process a moment later; so each is pinned first, and only those whose numbers are read
   * again after that are signalled. One that is gone is no failure; after another failure it goes
   * on, and throws the last one at the end.
   */
  static void signal(Directory group, int signal) throws IOException {
    List<Long> pids = Members.of(group).pids();
    IOException last = null;
    for (int from = 0; from < pids.size(); from += BATCH) {
      IOException failure =
          batch(group, pids.subList(from, Math.min(from + BATCH, pids.size())), signal);
      last = failure == null ? last : failure;
    }
    if (last != null) {
      throw last;
    }
  }

  private static @Nullable IOException batch(Directory group, List<Long> pids, int signal)
      throws IOException {
    IOException last = null;
    List<Pidfd> pinned = new ArrayList<>();
    try {
      for (long pid : pids) {
        try {
          Pidfd pidfd = Pidfd.openIfPresent(Math.toIntExact(pid));
          if (pidfd != null) {
            pinned.add(pidfd);
          }
        } catch (IOException failure) {
          last = failure;
        }
      }
      Set<Long> members = new HashSet<>(Members.of(group).pids());
      for (Pidfd pidfd : pinned) {
        if (members.contains((long) pidfd.pid())) {
          try {
            pidfd.signal(signal);
          } catch (IOException failure) {
            last = failure;
          }
        }
      }
    } finally {
      pinned.forEach(Pidfd::close);
    }
    return last;
  }
}
