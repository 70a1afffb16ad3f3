package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;

/** Reaps children that nobody waits for, when the poller says that they have ended. */
final class Reaper {
  private static final int SIGKILL = 9;

  /** What the end of a child that was killed is waited for at once. */
  private static final long END_NANOS = 1_000_000_000L;

  private static final long FIRST_PAUSE_NANOS = 1_000_000;

  private Reaper() {}

  /** Reaps and closes {@code child} once it has ended. */
  static void reapAtEnd(Pidfd child) throws IOException {
    reapAtEnd(child, () -> {});
  }

  /**
   * As {@link #reapAtEnd(Pidfd)}, and then runs {@code after}, which must not block, on the
   * poller's thread.
   */
  static void reapAtEnd(Pidfd child, Runnable after) throws IOException {
    Poller.Watch watch = Poller.shared().watch(child.descriptor());
    watch.onEvent(
        Poller.READABLE,
        () -> {
          watch.close();
          try {
            after.run();
          } finally {
            reap(child);
          }
        });
  }

  /** Of one that has ended; later, if its tracer has not seen that yet. Closes {@code child}. */
  static void reap(Pidfd child) {
    try {
      if (child.reap() == null) {
        child.lookAgain(() -> reap(child));
        return;
      }
    } catch (IOException reapedByOthers) {
      // ECHILD: it is gone, which is all that is wanted here.
    }
    child.close();
  }

  /** Kills a child that nobody has reaped, and returns when it is gone, as a rule. */
  static void end(int pid) {
    try {
      Pidfd child = Pidfd.openIfPresent(pid);
      if (child != null) {
        end(child);
      }
    } catch (SystemCallException noDescriptor) {
      endByNumber(pid);
    }
  }

  /** As {@link #end(int)}, but does not wait for anything: for the poller's thread. */
  static void endSoon(int pid) {
    Pidfd child = null;
    try {
      child = Pidfd.openIfPresent(pid);
      if (child != null) {
        child.signal(SIGKILL);
        reapAtEnd(child);
      }
    } catch (IOException refused) {
      if (child != null) {
        child.close();
      }
      Thread.ofPlatform().daemon().name("holdfast-reaper").start(() -> endByNumber(pid));
    }
  }

  /** As {@link #end(int)}; closes {@code child}. */
  static void end(Pidfd child) {
    try {
      child.signal(SIGKILL);
      Poller.look(child.descriptor().number(), Poller.READABLE, END_NANOS);
      if (child.reap() != null) {
        child.close();
      } else {
        reapAtEnd(child);
      }
    } catch (IOException refused) {
      child.close();
      if (!(refused instanceof SystemCallException failure && failure.errno() == Errno.ECHILD)) {
        endByNumber(child.pid());
      }
    }
  }

  /**
   * Without a descriptor to be had there is no event for its end; but its number is nobody else's
   * before we have reaped it. A child that still has not ended then (it may be frozen) is left to a
   * thread of its own.
   */
  private static void endByNumber(int pid) {
    Kernel.get().call(SystemCall.KILL, pid, SIGKILL);
    long deadline = System.nanoTime() + END_NANOS;
    for (long pause = FIRST_PAUSE_NANOS; !isReaped(pid, true); pause *= 2) {
      if (deadline - System.nanoTime() <= 0) {
        Thread.ofPlatform().daemon().name("holdfast-reaper").start(() -> isReaped(pid, false));
        return;
      }
      LockSupport.parkNanos(pause);
    }
  }

  private static boolean isReaped(int pid, boolean atOnce) {
    final int byPid = 1;
    final int exited = 4;
    final int noHang = 1;
    final int all = 0x40000000;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(128, 8);
      int options = exited | all | (atOnce ? noHang : 0);
      long result = Kernel.get().call(SystemCall.WAITID, byPid, pid, info.address(), options, 0, 0);
      return result < 0 || info.get(ValueLayout.JAVA_INT, 16) != 0;
    }
  }
}
