package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.Pidfd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Signals every member of a group, and nobody else. */
final class Sweep implements Nested.Visitor {
  /** How many processes are pinned at once: each takes a descriptor. */
  private static final int BATCH = 256;

  private final int signal;

  /** A process can have threads in several groups, or move on to another. */
  private final Set<Long> signalled = new HashSet<>();

  private @Nullable IOException last;

  private Sweep(int signal) {
    this.signal = signal;
  }

  /**
   * Signals the members that are there now. A number read from {@code cgroup.procs} may belong to
   * another process a moment later; so each is pinned first, and only those whose numbers are read
   * again after that are signalled. One that is gone is no failure; after another failure it goes
   * on, and throws the last one at the end.
   */
  static void signal(Directory group, int signal) throws IOException {
    signal(group, signal, System.nanoTime());
  }

  /**
   * As above.
   *
   * @param deadline until when members are looked for, should that take long
   */
  static void signal(Directory group, int signal, long deadline) throws IOException {
    Sweep sweep = new Sweep(signal);
    if (!Nested.walk(group, sweep, deadline)) {
      throw Members.notWhole(group);
    }
    if (sweep.last != null) {
      throw sweep.last;
    }
  }

  @Override
  public void at(Directory group) throws IOException {
    List<Long> pids = Members.in(group).stream().filter(pid -> !signalled.contains(pid)).toList();
    for (int from = 0; from < pids.size(); ) {
      from += batch(group, pids.subList(from, Math.min(from + BATCH, pids.size())));
    }
  }

  /** How many of {@code pids} it came to: at least one. */
  private int batch(Directory group, List<Long> pids) throws IOException {
    List<Pidfd> pinned = new ArrayList<>();
    try {
      int through = pin(pids, pinned);
      while (true) {
        try {
          Set<Long> members = Members.in(group);
          pinned.stream().filter(p -> members.contains((long) p.pid())).forEach(this::signal);
          return through;
        } catch (IOException failure) {
          if (pinned.size() < 2 || !isWantOfDescriptors(failure)) {
            throw failure;
          }
          // To read the list takes one: so half of them are this batch.
          List<Pidfd> later = pinned.subList(pinned.size() / 2, pinned.size());
          through = pids.indexOf((long) later.getFirst().pid());
          later.forEach(Pidfd::close);
          later.clear();
        }
      }
    } finally {
      pinned.forEach(Pidfd::close);
    }
  }

  /** Pins as many as there are descriptors for; answers how many it came to. */
  private int pin(List<Long> pids, List<Pidfd> pinned) {
    for (int i = 0; i < pids.size(); i++) {
      try {
        Pidfd pidfd = Pidfd.openIfPresent(Math.toIntExact(pids.get(i)));
        if (pidfd != null) {
          pinned.add(pidfd);
        }
      } catch (IOException failure) {
        if (!pinned.isEmpty() && isWantOfDescriptors(failure)) {
          return i;
        }
        last = failure;
      }
    }
    return pids.size();
  }

  private static boolean isWantOfDescriptors(IOException failure) {
    int errno = Refusal.errno(failure);
    return errno == Errno.EMFILE || errno == Errno.ENFILE;
  }

  private void signal(Pidfd member) {
    try {
      member.signal(signal);
      signalled.add((long) member.pid());
    } catch (IOException failure) {
      last = failure;
    }
  }
}
