package dev.holdfast.cgroup;

import dev.holdfast.linux.AnyMode;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Ends what is in a group: at once where the kernel can, otherwise one by one while they are
 * frozen, and again until nobody is left.
 *
 * <p>Thread-safe.
 */
final class Ending {
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long AT_ONCE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final int SIGKILL = 9;

  private final Branch membership;
  private final Supplier<@Nullable Branch> v1Freezer;
  private volatile @Nullable Freezer freezer;

  /**
   * Of one group.
   *
   * @param v1Freezer its directory for the freezer of v1, if it has one now
   */
  Ending(Branch membership, Supplier<@Nullable Branch> v1Freezer) {
    this.membership = membership;
    this.v1Freezer = v1Freezer;
  }

  /** Whether nobody is left; false after {@code deadline}. */
  boolean await(long deadline) throws IOException, InterruptedException {
    return await(deadline, deadline);
  }

  private boolean await(long until, long deadline) throws IOException, InterruptedException {
    try {
      return awaitOnce(until, deadline);
    } catch (SystemCallException failure) {
      if (failure.errno() != Errno.EACCES) {
        throw failure;
      }
      openAgain();
      return awaitOnce(until, deadline);
    }
  }

  /**
   * Members with our identity can have closed the group: {@code chmod 0}. It is ours all the same.
   */
  private void openAgain() {
    try {
      AnyMode.giveBack(membership.directory());
      Branch legacy = v1Freezer.get();
      if (legacy != null && legacy != membership) {
        AnyMode.giveBack(legacy.directory());
      }
    } catch (IOException refused) {
      // What needs it fails, and tells.
    }
  }

  private boolean awaitOnce(long until, long deadline) throws IOException, InterruptedException {
    return membership.unified()
        ? Events.await(membership.directory(), "populated", 0, until)
        : Drain.await(membership.directory(), until, deadline);
  }

  /** Whether nobody is left; false after {@code deadline}. An interrupt is kept for later. */
  boolean killAll(long deadline) throws IOException {
    // A start that was under way may bring a member in after the kill: so it is done again until
    // nobody is left.
    while (killAtOnce(deadline)) {
      if (awaitPause(AT_ONCE_NANOS, deadline)) {
        return true;
      }
      killListed(deadline);
      if (awaitPause(PAUSE_NANOS, deadline)) {
        return true;
      }
      if (deadline - System.nanoTime() <= 0) {
        return false;
      }
    }
    return sweep(deadline);
  }

  /** Sends SIGKILL to all, and does not wait. */
  void kill() throws IOException {
    long now = System.nanoTime();
    if (killAtOnce(now)) {
      killListed(now);
    } else {
      sweep(now);
    }
  }

  /**
   * What {@code cgroup.kill} does not reach: a process whose first thread has ended, since the
   * kernel signals that thread and not the process (seen on 6.18). On v2 who is frozen still dies;
   * who is not could make groups faster than anybody goes through them.
   */
  private void killListed(long deadline) throws IOException {
    Directory group = membership.directory();
    group.tryWrite(FreezerV2.FILE, "1");
    try {
      Sweep.signal(group, SIGKILL, deadline);
    } catch (IOException refused) {
      // Of others cgroup.kill takes care; who is left all the same is named at the deadline.
    } finally {
      group.tryWrite(FreezerV2.FILE, "0");
    }
  }

  /** {@code cgroup.kill}, which no fork escapes; false where it did not work for any reason. */
  private boolean killAtOnce(long deadline) throws IOException {
    Directory group = membership.directory();
    if (!membership.unified() || AnyMode.tryWrite(group, "cgroup.kill", "1") != 0) {
      return false;
    }
    // It kills frozen members too, but leaves cgroup.freeze at 1.
    group.tryWrite(FreezerV2.FILE, "0");
    Branch legacy = v1Freezer.get();
    if (legacy != null) {
      // Members that a v1 freezer holds end when it lets them go.
      FreezerV1.releaseAll(legacy.directory(), deadline);
    }
    return true;
  }

  /**
   * Freezes, kills one by one, thaws, until nobody is left; at least once. Where the next round
   * would hold who is dying, it comes later each time; but soon if somebody could fork in this one.
   */
  boolean sweep(long deadline) throws IOException {
    long pause = PAUSE_NANOS;
    while (true) {
      openAgain();
      boolean frozen = false;
      IOException failure = null;
      try {
        frozen = freezer().tryFreeze(PAUSE_NANOS);
      } catch (IOException unfrozen) {
        failure = unfrozen; // a fork may escape this round, and is caught by the next
      }
      try {
        Sweep.signal(membership.directory(), SIGKILL, deadline);
      } catch (IOException refused) {
        failure = refused;
      } finally {
        try {
          freezer().releaseAll(deadline);
        } catch (IOException refused) {
          failure = failure == null ? refused : failure;
        }
      }
      if (awaitPause(pause, deadline)) {
        return true;
      }
      pause =
          frozen && freezer().holdsTheDying()
              ? Math.min(2 * pause, LONGEST_PAUSE_NANOS)
              : PAUSE_NANOS;
      if (deadline - System.nanoTime() <= 0) {
        if (failure != null && !Refusal.isGone(failure)) {
          throw failure;
        }
        return false;
      }
    }
  }

  /** What stops the members of this group; it stays the same as long as the group lives. */
  Freezer freezer() {
    Freezer known = freezer;
    if (known == null) {
      Branch legacy = v1Freezer.get();
      if (legacy != null) {
        known = new FreezerV1(legacy.directory());
      } else if (membership.directory().has(FreezerV2.FILE)) {
        known = new FreezerV2(membership.directory());
      } else {
        known = new StopSignals(membership.directory());
      }
      freezer = known;
    }
    return known;
  }

  private boolean awaitPause(long pause, long deadline) throws IOException {
    long now = System.nanoTime();
    long until = now + Math.clamp(deadline - now, 0, pause);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return await(until, deadline);
        } catch (InterruptedException later) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
