package dev.holdfast.containment;

import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.ProcessTable;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who belongs to a job of POSIX sessions: its children, whoever is in a session that one of them
 * leads, and whoever descends from a member. With a reaper of orphans also whoever came to it
 * without being one of its own: it was left behind by a member.
 *
 * <p>A number of a process or session may be used again once nobody has it. So a process is its
 * number and its start time, and a session that was seen empty is forgotten.
 *
 * <p>Thread-safe.
 */
final class Sessions {
  private final ProcessTable table;
  private final int reaper;

  /** Start times of the children, by process id, which is that of the session too. */
  private final Map<Integer, Long> children = new HashMap<>();

  /** Those that the reaper had before, or has for other reasons. */
  private final Set<Integer> ownChildren = new HashSet<>();

  /**
   * Of a job.
   *
   * @param reaper the process that orphans of the members come to, 0 if that is not ours
   */
  Sessions(ProcessTable table, int reaper) throws IOException {
    this.table = table;
    this.reaper = reaper;
    if (reaper != 0) {
      for (ProcessTable.Entry entry : table.entries()) {
        if (entry.parent() == reaper) {
          ownChildren.add(entry.pid());
        }
      }
    }
  }

  /** A process that belongs to the reaper for other reasons, such as a keeper. */
  synchronized void except(int pid) {
    ownChildren.add(pid);
  }

  /** A new child, which nobody has reaped yet. */
  synchronized void add(int pid) {
    ProcessTable.Entry entry = table.entry(pid);
    if (entry != null) {
      children.put(pid, entry.startTicks());
    }
  }

  /** The living members. */
  synchronized List<ProcessTable.Entry> members() throws IOException {
    List<ProcessTable.Entry> entries = table.entries();
    Set<Integer> sessions = new HashSet<>();
    for (ProcessTable.Entry entry : entries) {
      Long started = children.get(entry.pid());
      if (started != null && started != entry.startTicks()) {
        children.remove(entry.pid()); // another process by now
      }
      sessions.add(entry.session());
      sessions.add(entry.pid());
    }
    children.keySet().retainAll(sessions);
    Set<Integer> found = new HashSet<>();
    int before;
    do {
      before = found.size();
      for (ProcessTable.Entry entry : entries) {
        if (children.containsKey(entry.pid())
            || children.containsKey(entry.session())
            || found.contains(entry.parent())
            || isOrphan(entry)) {
          found.add(entry.pid());
        }
      }
    } while (found.size() > before);
    List<ProcessTable.Entry> alive = new ArrayList<>();
    for (ProcessTable.Entry entry : entries) {
      if (found.contains(entry.pid()) && entry.isAlive()) {
        alive.add(entry);
      } else if (isOrphan(entry) && !children.containsKey(entry.pid())) {
        reap(entry.pid()); // nobody else will
      }
    }
    return alive;
  }

  private static void reap(int pid) throws IOException {
    try (Pidfd orphan = Pidfd.openIfPresent(pid)) {
      if (orphan != null) {
        orphan.reap();
      }
    } catch (SystemCallException notOurs) {
      // ECHILD: somebody else was faster.
    }
  }

  private boolean isOrphan(ProcessTable.Entry entry) {
    return reaper != 0 && entry.parent() == reaper && !ownChildren.contains(entry.pid());
  }
}
