package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Moves all processes of a v2 group to a leaf below it. */
final class Leaf {
  private static final int ROUNDS = 200;
  private static final long PAUSE_NANOS = 1_000_000;

  private Leaf() {}

  /**
   * Moves until the group has no process of its own: what they start meanwhile is born in the group
   * or in the leaf, depending on when its parent was moved.
   */
  static void moveInto(Path base) throws HoldfastException {
    List<String> left = List.of();
    try (Directory group = Directory.open(base)) {
      make(group);
      try (Directory leaf = group.open(Delegation.LEAF)) {
        for (int round = 0; round < ROUNDS; round++) {
          left = group.read("cgroup.procs").lines().toList();
          if (left.isEmpty()) {
            return;
          }
          boolean moved = false;
          for (String pid : left) {
            moved |= move(leaf, pid);
          }
          if (!moved) {
            // The kernel has no event for "can be moved now".
            LockSupport.parkNanos(PAUSE_NANOS);
          }
        }
      }
    } catch (IOException refused) {
      throw Refusal.ofDelegation(
          "Cannot move our processes to " + base.resolve(Delegation.LEAF), refused);
    }
    throw new HoldfastException(
        "Cannot move our processes to " + base.resolve(Delegation.LEAF),
        base + " still holds " + left.size() + ", such as " + left.getFirst(),
        DelegationProbe.remedy(false),
        null);
  }

  private static void make(Directory group) throws IOException {
    try {
      group.make(Delegation.LEAF);
    } catch (SystemCallException e) {
      if (e.errno() != Errno.EEXIST) {
        throw e;
      }
    }
  }

  private static boolean move(Directory leaf, String pid) throws IOException {
    try {
      leaf.write("cgroup.procs", pid);
      return true;
    } catch (SystemCallException e) {
      // ESRCH: it has ended. EINVAL: it is just being made, or a kernel thread that cannot move.
      if (e.errno() == Errno.ESRCH || e.errno() == Errno.EINVAL) {
        return false;
      }
      throw e;
    }
  }
}
