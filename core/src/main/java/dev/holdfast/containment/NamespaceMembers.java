package dev.holdfast.containment;

import dev.holdfast.linux.PidNamespace;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.ProcessTable;
import dev.holdfast.linux.ResourceUsage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who is in a pid namespace, numbered as we see them. Each member's parent is a member, or the
 * first process (of orphans), or this JVM: so the children of ours and of the first process, and
 * all their descendants, are all that are in it, nested namespaces included. Nothing is asked for
 * that needs a permission.
 *
 * <p>Thread-safe.
 */
final class NamespaceMembers {
  /** Of looking for parents; each finds fewer, unless new ones come as fast. */
  private static final int ROUNDS = 20;

  private final ProcessTable table;

  /** Ours that nobody has reaped: until then a number is nobody else's. */
  private final Map<Integer, Pidfd> children = new HashMap<>();

  NamespaceMembers(ProcessTable table) {
    this.table = table;
  }

  /** A new child, which nobody has reaped yet; {@code used} is told what it used once it is. */
  void add(Pidfd child, Consumer<ResourceUsage> used) {
    synchronized (children) {
      children.put(child.pid(), child);
    }
    child.atReaping(usage -> {
      used.accept(usage);
      synchronized (children) {
        children.remove(child.pid(), child);
        children.notifyAll();
      }
    });
  }

  /** Whether one of our children in it lives. */
  boolean hasLivingChildren() {
    synchronized (children) {
      return children.values().stream().anyMatch(NamespaceMembers::isAlive);
    }
  }

  private static boolean isAlive(Pidfd child) {
    try {
      return !child.hasEnded();
    } catch (IOException closed) {
      return false;
    }
  }

  /** Waits until all of our children in it are reaped; false if the deadline passes first. */
  boolean awaitNoChildren(long deadline) throws InterruptedException {
    synchronized (children) {
      while (!children.isEmpty()) {
        if (!awaitReaping(deadline)) {
          return false;
        }
      }
      return true;
    }
  }

  /** Waits until those of our children that have ended by now are reaped, and so counted. */
  void awaitReaped(long deadline) throws InterruptedException {
    synchronized (children) {
      Set<Pidfd> ended = new HashSet<>(children.values());
      ended.removeIf(NamespaceMembers::isAlive);
      while (!ended.isEmpty() && awaitReaping(deadline)) {
        ended.retainAll(children.values());
      }
    }
  }

  /**
   * Waits, with the lock, until one of our children in it may be reaped; false past the deadline.
   */
  private boolean awaitReaping(long deadline) throws InterruptedException {
    long left = (deadline - System.nanoTime() + 999_999) / 1_000_000;
    if (left <= 0) {
      return false;
    }
    children.wait(left);
    return true;
  }

  /** Whether it is one of our own children, which nobody has reaped. */
  boolean isChild(int pid) {
    synchronized (children) {
      return children.containsKey(pid);
    }
  }

  /**
   * The living ones, without the first process. As the table is read one after the other, those
   * that come and go faster than that may be missed.
   */
  List<ProcessTable.Entry> of(@Nullable PidNamespace namespace) throws IOException {
    Map<Integer, ProcessTable.Entry> all = new HashMap<>();
    for (ProcessTable.Entry entry : table.entries()) {
      all.put(entry.pid(), entry);
    }
    int round = 1;
    while (!addParents(all) && round < ROUNDS) {
      round++;
    }
    return members(all, namespace == null ? 0 : namespace.pid());
  }

  /**
   * A parent that is not there has ended since, and its children have another, or has come since.
   *
   * @return whether all were there
   */
  private boolean addParents(Map<Integer, ProcessTable.Entry> all) throws IOException {
    List<ProcessTable.Entry> without =
        all.values().stream()
            .filter(entry -> entry.parent() != 0 && !all.containsKey(entry.parent()))
            .toList();
    for (ProcessTable.Entry entry : without) {
      ProcessTable.Entry now = table.entry(entry.pid());
      if (now == null) {
        all.remove(entry.pid());
        continue;
      }
      all.put(now.pid(), now);
      ProcessTable.Entry parent = now.parent() == 0 ? null : table.entry(now.parent());
      if (parent != null) {
        var _ = all.putIfAbsent(parent.pid(), parent);
      }
    }
    return without.isEmpty();
  }

  private List<ProcessTable.Entry> members(Map<Integer, ProcessTable.Entry> all, int first) {
    Map<Integer, Boolean> known = new HashMap<>();
    known.put(0, false);
    known.put(first, true);
    synchronized (children) {
      children.keySet().forEach(pid -> known.put(pid, true));
    }
    List<ProcessTable.Entry> members = new ArrayList<>();
    for (ProcessTable.Entry entry : all.values()) {
      if (entry.pid() != first && entry.isAlive() && isIn(entry.pid(), all, known)) {
        members.add(entry);
      }
    }
    return members;
  }

  /** Follows the parents up to one that is known, and remembers the answer for all on the way. */
  private static boolean isIn(
      int pid, Map<Integer, ProcessTable.Entry> all, Map<Integer, Boolean> known) {
    List<Integer> way = new ArrayList<>();
    Boolean answer;
    for (int at = pid; (answer = known.get(at)) == null; ) {
      way.add(at);
      ProcessTable.Entry entry = all.get(at);
      at = entry == null || way.size() > all.size() ? 0 : entry.parent();
    }
    for (int each : way) {
      known.put(each, answer);
    }
    return answer;
  }

  /** Tells the first process whom to wait for when we are gone. */
  void letGo(PidNamespace namespace) throws IOException {
    // Whoever reaps one needs this lock before he closes its descriptor.
    synchronized (children) {
      namespace.letGo(List.copyOf(children.values()));
    }
  }
}
