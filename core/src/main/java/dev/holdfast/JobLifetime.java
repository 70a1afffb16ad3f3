package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.containment.Container;
import dev.holdfast.containment.Ladder;
import dev.holdfast.linux.Deadline;
import dev.holdfast.linux.Forgotten;
import dev.holdfast.linux.Poller;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The end of a job, which must come however the job is left: closed, forgotten (a Cleaner, so
 * nothing here refers to the {@link Job}), or open when the JVM ends (a shutdown hook; the keeper
 * if even that does not run).
 */
final class JobLifetime {
  private static final Set<JobLifetime> OPEN = ConcurrentHashMap.newKeySet();
  private static final int ATTEMPTS = 3;
  private static final int UNKNOWN = -1;
  private static final Object HOOK = new Object();
  private static boolean hooked;

  /** No job is to come after those that {@link #closeAll} finds. */
  private static volatile boolean over;

  private final Container container;
  private final Duration deadline;
  private final Object closing = new Object();
  private volatile boolean closed;
  private volatile boolean released;
  private volatile @Nullable Usage last;
  private volatile @Nullable Cleanup cleanup;
  private int killed = UNKNOWN;

  /** From then on a part of it may be gone, and its counters with it. */
  private boolean removing;

  JobLifetime(Container container, Duration deadline) {
    this.container = container;
    this.deadline = deadline;
  }

  /** Closes {@code lifetime} when {@code job} is forgotten, or the JVM ends. */
  static void guard(Job job, JobLifetime lifetime) {
    synchronized (HOOK) {
      if (!hooked) {
        hooked = true;
        Runtime.getRuntime()
            .addShutdownHook(
                Thread.ofPlatform().name("holdfast-end").unstarted(JobLifetime::closeAll));
      }
      OPEN.add(lifetime);
      Forgotten.whenForgotten(job, lifetime::closeForgotten);
    }
    if (over) {
      lifetime.closeForgotten();
    }
  }

  Container container() {
    return container;
  }

  Duration deadline() {
    return deadline;
  }

  boolean isClosed() {
    return closed;
  }

  void checkOpen() throws HoldfastException {
    if (closed) {
      throw new HoldfastException("cannot use this job", "it is closed", "open another one", null);
    }
  }

  /** How many members there were when the end began; what is told first counts. */
  void countKilled(int members) {
    synchronized (closing) {
      if (killed == UNKNOWN) {
        killed = members;
      }
    }
  }

  /** How many members there are; at least, where there come more than can be counted soon. */
  int count() throws IOException {
    return closed ? 0 : container.count();
  }

  void release() throws IOException {
    container.release();
    released = true;
  }

  Usage usage() throws IOException {
    Usage known = last;
    if (known != null) {
      return known;
    }
    synchronized (closing) {
      return last != null ? last : container.usage();
    }
  }

  Optional<Duration> cpuTime() throws IOException {
    synchronized (closing) {
      Usage known = last;
      return known != null ? known.cpu().total() : container.cpuTime();
    }
  }

  Optional<Cleanup> cleanup() {
    return Optional.ofNullable(cleanup);
  }

  /** As {@link #close}, unless that was tried before: what is left then is the anchor's. */
  void closeOnce() throws IOException {
    synchronized (closing) {
      if (cleanup == null) {
        close();
      }
    }
  }

  void close() throws IOException {
    closed = true;
    container.closing();
    synchronized (closing) {
      Cleanup done = cleanup;
      if (done != null && (done.removed() || released)) {
        return;
      }
      try {
        end();
      } finally {
        done = cleanup;
        if (released || (done != null && done.removed())) {
          OPEN.remove(this);
        }
      }
    }
  }

  private void end() throws IOException {
    long begin = System.nanoTime();
    IOException problem = null;
    boolean removed = false;
    try {
      if (released && mayHaveMembers()) {
        return;
      }
      int members = countMembers();
      countKilled(members);
      removed = killAndRemove(members != 0, Deadline.after(begin, deadline));
    } catch (IOException failure) {
      problem = failure;
    } finally {
      if (last == null) {
        last = usageOrNone();
      }
      if (problem == null) {
        container.closeHandles();
      }
      cleanup = new Cleanup(Math.max(killed, 0), removed, Stop.since(begin));
    }
    if (problem != null) {
      throw notClosed(problem);
    }
  }

  private HoldfastException notClosed(IOException problem) {
    if (problem instanceof HoldfastException known) {
      return new HoldfastException(
          "cannot close the job", known.what() + ": " + known.why(), known.remedy(), known);
    }
    return HoldfastException.of(
        "cannot close the job", problem, "see what is left at " + container.paths().values());
  }

  /**
   * Kills, reads the usage and removes, until nothing is left: a start that was under way may bring
   * in a member after the kill, and then removing finds the group busy. An interrupt is kept for
   * later.
   */
  private boolean killAndRemove(boolean populated, long end) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      for (int attempt = 1; ; attempt++) {
        try {
          if (!released && (populated || attempt > 1)) {
            container.kill(Duration.ofNanos(Math.max(end - System.nanoTime(), 1)));
          }
          if (!removing) {
            // What cannot be read, as members can have closed it, is absent in the end.
            last = attempt < ATTEMPTS ? container.usage() : usageOrNone();
          }
          removing = true;
          container.remove(Duration.ofNanos(Math.max(end - System.nanoTime(), 1)));
          return true;
        } catch (InterruptedException again) {
          interrupted = true;
          attempt--;
        } catch (IOException failure) {
          if (attempt == ATTEMPTS || System.nanoTime() - end >= 0) {
            throw failure;
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private boolean mayHaveMembers() {
    try {
      return container.isPopulated();
    } catch (IOException unknown) {
      return true;
    }
  }

  /** If that cannot be told, as without a free descriptor, the members are ended uncounted. */
  private int countMembers() {
    try {
      return container.countForKill();
    } catch (IOException unknown) {
      return UNKNOWN;
    }
  }

  private Usage usageOrNone() {
    try {
      return container.usage();
    } catch (IOException gone) {
      return Usage.NONE;
    }
  }

  private void closeForgotten() {
    try {
      closeOnce();
    } catch (IOException nobodyToTell) {
      // The keeper, or a later sweep, finds what is left.
    }
  }

  static void closeAll() {
    over = true;
    OPEN.forEach(JobLifetime::closeForgotten);
    try {
      Ladder.own().close();
    } catch (IOException nobodyToTell) {
      // The keeper, or a later sweep, finds what is left.
    }
    try {
      Poller.rest();
    } catch (IOException busy) {
      // Then the JVM waits for it a little.
    }
  }
}
