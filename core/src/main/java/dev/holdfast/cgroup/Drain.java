package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.Poller;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Waits until a v1 group has no members: v1 has no event for that, but a process's end is one. */
final class Drain {
  /** A member can also leave by moving away, which shows only when the list is read again. */
  private static final long LONGEST_WAIT = TimeUnit.MILLISECONDS.toNanos(100);

  private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(1);

  private Drain() {}

  /**
   * False if there still are some at {@code until}, a value of {@link System#nanoTime}.
   *
   * @param deadline until when a look for one may take, should that be longer
   */
  static boolean await(Directory group, long until, long deadline)
      throws IOException, InterruptedException {
    while (true) {
      Members members;
      try {
        members = Members.any(group, deadline);
      } catch (IOException failure) {
        if (Refusal.isGone(failure)) {
          return true;
        }
        throw failure;
      }
      if (members.count() == 0 && members.whole()) {
        return true;
      }
      long now = System.nanoTime();
      if (until - now <= 0) {
        return false;
      }
      if (!awaitThem(members, now + Math.min(until - now, LONGEST_WAIT))) {
        if (Thread.interrupted()) {
          throw new InterruptedException("interrupted while waiting for " + group);
        }
        LockSupport.parkNanos(PAUSE);
      }
    }
  }

  /**
   * Waits for the end of each: to look for others is to go through all the groups again. False if
   * there was nothing to wait for.
   */
  private static boolean awaitThem(Members members, long until)
      throws IOException, InterruptedException {
    boolean waited = false;
    for (long pid : members.pids()) {
      if (waited && until - System.nanoTime() <= 0) {
        break;
      }
      try (Pidfd pidfd = Pidfd.openIfPresent(Math.toIntExact(pid))) {
        if (pidfd != null && !pidfd.hasEnded()) {
          try (Poller.Watch watch = Poller.shared().watch(pidfd.descriptor())) {
            watch.await(Poller.READABLE, until);
            waited = true;
          }
        }
      }
    }
    return waited;
  }
}
