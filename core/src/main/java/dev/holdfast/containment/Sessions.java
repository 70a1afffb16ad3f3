package dev.holdfast.containment;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.linux.Held;
import dev.holdfast.linux.OwnChildren;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Who belongs to a job of POSIX sessions: its children, whoever is in a session that one of them
 * leads, and whoever descends from a member. With a reaper of orphans also whoever came to it
 * without being one of its own: it was left behind by a member. See {@link Orphans} for whose.
 *
 * <p>A number of a process or session may be used again once nobody has it. So a process is its
 * number and its start time, and a session that was seen empty is forgotten.
 *
 * <p>Thread-safe.
 */
final class Sessions {
  /** A start lasts a millisecond or so; there is no event for the end of all of them. */
  private static final int QUIET_ATTEMPTS = 50;

  private static final long QUIET_PAUSE_NANOS = 1_000_000;

  private final ProcessTable table;
  private final int reaper;

  /** The children, by process id, which is that of the session too. */
  private final Map<Integer, Held> children = new ConcurrentHashMap<>();

  /** Start times of those that the reaper had before, by process id. */
  private final Map<Integer, Long> before = new HashMap<>();

  private volatile boolean released;

  /**
   * Of a job.
   *
   * @param reaper the process that orphans of the members come to, 0 if that is not ours
   */
  Sessions(ProcessTable table, int reaper) throws IOException {
    this.table = table;
    this.reaper = reaper;
    if (reaper != 0) {
      Orphans.opened(this);
      boolean known = false;
      try {
        for (ProcessTable.Entry entry : table.entries()) {
          if (entry.parent() == reaper) {
            before.put(entry.pid(), entry.startTicks());
          }
        }
        known = true;
      } finally {
        if (!known) {
          Orphans.closed(this);
        }
      }
    }
  }

  /**
   * A new child, which nobody has reaped yet. At the end of each, and of nobody else, the numbers
   * are looked at: most sessions end with their leaders.
   */
  synchronized Held add(Pidfd child, boolean leads) throws IOException {
    int pid = child.pid();
    ProcessTable.Entry entry = table.entry(pid);
    if (entry == null) {
      throw new HoldfastException(
          "cannot hold the child", "/proc does not show pid " + pid, ProcessTable.REMEDY, null);
    }
    Held held = new Held(pid, leads ? Held.Kind.SESSION : Held.Kind.CHILD, entry.startTicks());
    children.put(pid, held);
    child.atReaping(used -> forgetFree(child));
    return held;
  }

  /** On the thread that reaps, which cannot wait for one that looks at all processes. */
  private void forgetFree(Pidfd reaped) {
    children.keySet().removeIf(pid -> !OwnChildren.has(pid) && isFree(reaped, pid));
  }

  private static boolean isFree(Pidfd any, int number) {
    try {
      return any.isFree(number);
    } catch (IOException closed) {
      return false; // the next look at all tells, too
    }
  }

  /** What is to be ended when we are gone. */
  synchronized List<Held> held() {
    return released ? List.of() : List.copyOf(children.values());
  }

  /** The members are to live on; answers who was held until now. */
  synchronized List<Held> release() {
    List<Held> held = held();
    released = true;
    return held;
  }

  boolean isReleased() {
    return released;
  }

  /** The job is closed: orphans are not its any more. Those of a released one are nobody's. */
  synchronized void close() {
    if (!released) {
      Orphans.closed(this);
    }
  }

  /** Whether nobody of its sessions is left. */
  synchronized boolean isOver() {
    try {
      forgetGone(table.entries());
      return children.isEmpty();
    } catch (IOException unknown) {
      return false;
    }
  }

  /** The living members. */
  List<ProcessTable.Entry> members() throws IOException {
    if (reaper != 0) {
      Orphans.forgetOver();
    }
    return look();
  }

  private synchronized List<ProcessTable.Entry> look() throws IOException {
    for (int attempt = 1; ; attempt++) {
      long starts = OwnChildren.starts();
      List<ProcessTable.Entry> entries = table.entries();
      // A child that is just being started is nobody's yet, and no orphan.
      boolean sure = starts >= 0 && OwnChildren.starts() == starts;
      if (sure || attempt == QUIET_ATTEMPTS || entries.stream().noneMatch(this::looksOrphaned)) {
        return members(entries, sure);
      }
      LockSupport.parkNanos(QUIET_PAUSE_NANOS);
    }
  }

  private List<ProcessTable.Entry> members(List<ProcessTable.Entry> entries, boolean sure)
      throws IOException {
    forgetGone(entries);
    boolean orphansToo = reaper != 0 && sure && Orphans.belongTo(this);
    Set<Integer> found = new HashSet<>();
    int before;
    do {
      before = found.size();
      for (ProcessTable.Entry entry : entries) {
        if (children.containsKey(entry.pid())
            || children.containsKey(entry.session())
            || found.contains(entry.parent())
            || (orphansToo && looksOrphaned(entry))) {
          found.add(entry.pid());
        }
      }
    } while (found.size() > before);
    List<ProcessTable.Entry> alive = new ArrayList<>();
    for (ProcessTable.Entry entry : entries) {
      if (found.contains(entry.pid()) && entry.isAlive()) {
        alive.add(entry);
      } else if (sure && looksOrphaned(entry) && !entry.isAlive()) {
        reap(entry.pid()); // nobody else will
      }
    }
    return alive;
  }

  private void forgetGone(List<ProcessTable.Entry> entries) {
    Set<Integer> sessions = new HashSet<>();
    for (ProcessTable.Entry entry : entries) {
      Held child = children.get(entry.pid());
      if (child != null && child.startTicks() != entry.startTicks()) {
        children.remove(entry.pid()); // another process by now
      }
      sessions.add(entry.session());
      sessions.add(entry.pid());
    }
    children.keySet().retainAll(sessions);
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

  private boolean looksOrphaned(ProcessTable.Entry entry) {
    if (reaper == 0 || entry.parent() != reaper || OwnChildren.has(entry.pid())) {
      return false;
    }
    Long started = before.get(entry.pid());
    return started == null || started != entry.startTicks();
  }
}
