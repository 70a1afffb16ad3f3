package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Removes a group with everything nested in it. */
final class Removal {
  private static final long FIRST_WAIT = TimeUnit.MILLISECONDS.toNanos(1);
  private static final int WAITS = 10; // 1 + 2 + 4 + … + 512 ms

  /** Against a living member that makes groups faster than we remove them. */
  private static final int MOST_ROUNDS = 1000;

  private Removal() {}

  /**
   * Removes all directories of the group {@code name}; what it counted goes to the group above.
   *
   * @param parent the group that it is nested in; null if that is not ours, or removed
   */
  static void remove(String name, Branches group, @Nullable Branches parent, long deadline)
      throws IOException {
    Branch membership = group.membership();
    // The one with the members goes last: while it is there, a sweep finds the rest by it.
    for (Branch branch : group.all()) {
      if (branch != membership) {
        remove(name, branch, parent, deadline);
      }
    }
    remove(name, membership, parent, deadline);
  }

  private static void remove(String name, Branch branch, @Nullable Branches parent, long deadline)
      throws IOException {
    Path above = branch.path().getParent();
    if (above == null) {
      throw new SystemCallException("unlinkat", branch.toString(), Errno.EBUSY);
    }
    Branch outer = parent == null ? null : parent.with(branch.hierarchy());
    try {
      if (outer == null) {
        try (Directory directory = Directory.open(above)) {
          remove(directory, name, deadline, false);
        }
      } else {
        NestedSum.depart(branch, outer);
        outer.changing(() -> {
          remove(outer.directory(), name, deadline, true);
          return outer;
        });
      }
    } catch (IOException failure) {
      if (!Refusal.isGone(failure)) {
        throw failure;
      }
    }
  }

  /**
   * Removes {@code name} from {@code above}. The kernel says EBUSY while groups are nested in it,
   * and for a moment after its last member ended, for which it has no event: the one wait by the
   * clock, about a second in all, and not beyond {@code deadline}.
   *
   * @param ours whether {@code above} is a group of ours, which members with our identity can have
   *     closed
   */
  private static void remove(Directory above, String name, long deadline, boolean ours)
      throws IOException {
    long wait = FIRST_WAIT;
    int rounds = 0;
    for (int waits = 0; ; waits++) {
      int errno = ours ? removeFromOurs(above, name) : above.tryRemove(name);
      if (errno == 0 || Errno.isGone(errno)) {
        return;
      }
      if (errno != Errno.EBUSY && errno != Errno.ENOTEMPTY) {
        throw refused(above, name, errno);
      }
      Round round = new Round();
      round.removeBelow(above, name, deadline);
      long left = deadline - System.nanoTime();
      if (round.removed && rounds++ < MOST_ROUNDS) {
        waits--;
        continue;
      }
      if (waits >= WAITS || left <= 0) {
        throw round.refusal == null ? refused(above, name, errno) : round.refusal;
      }
      pause(Math.min(wait, left));
      wait *= 2;
    }
  }

  /** A member with our identity can have closed it: {@code chmod 0}. */
  private static int removeFromOurs(Directory above, String name) throws IOException {
    int errno = above.tryRemove(name);
    if (errno == Errno.EACCES) {
      above.mode(0755);
      errno = above.tryRemove(name);
    }
    return errno;
  }

  /** An interrupt, which would cut this pause and all later ones short, is kept for later. */
  private static void pause(long nanos) {
    long end = System.nanoTime() + nanos;
    boolean interrupted = false;
    for (long left = nanos; left > 0; left = end - System.nanoTime()) {
      interrupted |= Thread.interrupted();
      LockSupport.parkNanos(left);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** One attempt at each nested group. */
  private static final class Round implements Nested.Visitor {
    private boolean removed;
    private @Nullable SystemCallException refusal;

    void removeBelow(Directory above, String name, long deadline) throws IOException {
      try (Directory group = Nested.open(above, name)) {
        var _ = Nested.walk(group, this, deadline);
      } catch (IOException failure) {
        if (!Refusal.isGone(failure)) {
          throw failure;
        }
      }
    }

    @Override
    public boolean into(Directory above, String name) throws IOException {
      return !tryRemove(above, name);
    }

    @Override
    public void after(Directory above, String name) throws IOException {
      tryRemove(above, name);
    }

    private boolean tryRemove(Directory above, String name) throws IOException {
      int errno = removeFromOurs(above, name);
      if (errno == 0 || Errno.isGone(errno)) {
        removed = true;
        return true;
      }
      refusal = refused(above, name, errno);
      return false;
    }
  }

  private static SystemCallException refused(Directory above, String name, int errno) {
    return new SystemCallException("unlinkat", above.path(name).toString(), errno);
  }
}
