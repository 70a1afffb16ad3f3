package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A process pinned by a descriptor (pidfd_open(2)): however often its number is used again, this
 * stays the same process.
 *
 * <p>Thread-safe.
 */
public final class Pidfd implements AutoCloseable {
  private static final long FIRST_LOOK_MILLIS = 10;
  private static final long LONGEST_LOOK_MILLIS = 1000;

  private final Descriptor descriptor;
  private final int pid;
  private volatile @Nullable Consumer<ResourceUsage> atReaping;
  private volatile long nextLook = FIRST_LOOK_MILLIS;
  private final AtomicBoolean looking = new AtomicBoolean();

  private Pidfd(Descriptor descriptor, int pid) {
    this.descriptor = descriptor;
    this.pid = pid;
  }

  /** Pins the process {@code pid} as it is now; null if there is none. */
  public static @Nullable Pidfd openIfPresent(int pid) throws SystemCallException {
    long result = Kernel.get().call(SystemCall.PIDFD_OPEN, pid, 0);
    if (pid > 0 && namesNoProcess((int) -result)) {
      return null;
    }
    if (result < 0) {
      throw new SystemCallException("pidfd_open", "pid " + pid, (int) -result);
    }
    return new Pidfd(new Descriptor((int) result), pid);
  }

  /**
   * EINVAL: a thread, or a process that is gone but whose number still names its process group or
   * its session; Linux 6.15 and later say ENOENT of the one and ESRCH of the other.
   */
  private static boolean namesNoProcess(int errno) {
    return errno == Errno.ESRCH || errno == Errno.EINVAL || errno == Errno.ENOENT;
  }

  /** Pins the process {@code pid}; ESRCH if there is none. */
  public static Pidfd open(int pid) throws SystemCallException {
    Pidfd pidfd = openIfPresent(pid);
    if (pidfd == null) {
      throw new SystemCallException("pidfd_open", "pid " + pid, Errno.ESRCH);
    }
    return pidfd;
  }

  public int pid() {
    return pid;
  }

  /**
   * Has {@code action} told what the process used, by whoever reaps it. It must be short and never
   * block.
   */
  public void atReaping(Consumer<ResourceUsage> action) {
    atReaping = action;
  }

  /** Readable once the process has ended (a zombie counts as ended). */
  public Descriptor descriptor() {
    return descriptor;
  }

  /**
   * Whether {@code number} can be given away again: it is no process's, and no process group or
   * session with a member is called by it. Of a session without its leader nothing else tells that
   * but a look at all processes: fcntl(2) finds whatever has the number, to make it the owner of a
   * descriptor, which here nobody is ever told of.
   */
  public boolean isFree(int number) throws IOException {
    final int setOwner = 8;
    long result = Kernel.get().call(SystemCall.FCNTL, descriptor.number(), setOwner, number, 0);
    return result == -Errno.ESRCH;
  }

  /** Sends a signal; false if the process has been reaped. EPERM and the like are thrown. */
  public boolean signal(int signal) throws IOException {
    long result =
        Kernel.get().call(SystemCall.PIDFD_SEND_SIGNAL, descriptor.number(), signal, 0, 0);
    if (result == -Errno.ESRCH) {
      return false;
    }
    if (result < 0) {
      throw new SystemCallException("pidfd_send_signal", "pid " + pid, (int) -result);
    }
    return true;
  }

  /**
   * Waits for its end on the calling platform thread, for a moment at most (see {@link Poller}) and
   * never past {@code deadline}, a value of {@link System#nanoTime}.
   */
  public boolean awaitEndBriefly(long deadline) throws IOException {
    long left = deadline == Long.MAX_VALUE ? deadline : deadline - System.nanoTime();
    return Poller.look(
            descriptor.number(), Poller.READABLE, Math.clamp(left, 0, Poller.DIRECT_WAIT_NANOS))
        != 0;
  }

  /**
   * For whoever was told of its end, and could not {@link #reap} it: has {@code look} run after a
   * while, a longer one each time. A debugger sees the end first, and nothing tells when it has.
   */
  public void lookAgain(Runnable look) {
    if (looking.getAndSet(true)) {
      return;
    }
    long pause = nextLook;
    nextLook = Math.min(2 * pause, LONGEST_LOOK_MILLIS);
    CompletableFuture.delayedExecutor(pause, TimeUnit.MILLISECONDS)
        .execute(() -> {
          looking.set(false);
          look.run();
        });
  }

  /** Whether the process has ended, reaped or not. */
  public boolean hasEnded() throws IOException {
    return Poller.look(descriptor.number(), Poller.READABLE, 0) != 0;
  }

  /**
   * Reaps the process, which must be a child of ours, without waiting; null while it lives, and
   * while somebody traces it who has not seen its end yet: see {@link #lookAgain}. ECHILD is thrown
   * when it is no child of ours or somebody else has reaped it.
   */
  public @Nullable ExitStatus reap() throws IOException {
    final int byPidfd = 3;
    final int exited = 4;
    final int noHang = 1;
    final int all =
        0x40000000; // __WALL: a child that has not come to its exec has no exit signal yet
    // siginfo_t: s32 si_signo at 0, s32 si_code at 8, s32 si_pid at 16, s32 si_status at 24 (28 is
    // its end).
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(128, 8);
      MemorySegment usage = arena.allocate(ResourceUsage.SIZE, 8);
      long result =
          Kernel.get()
              .call(
                  SystemCall.WAITID,
                  byPidfd,
                  descriptor.number(),
                  info.address(),
                  exited | noHang | all,
                  usage.address(),
                  0);
      if (result < 0) {
        throw new SystemCallException("waitid", "pid " + pid, (int) -result);
      }
      if (info.get(ValueLayout.JAVA_INT, 16) == 0) {
        return null;
      }
      OwnChildren.remove(this);
      int code = info.get(ValueLayout.JAVA_INT, 8);
      int status = info.get(ValueLayout.JAVA_INT, 24);
      final int codeExited = 1;
      ResourceUsage used = ResourceUsage.read(usage);
      Consumer<ResourceUsage> told = atReaping;
      if (told != null) {
        told.accept(used);
      }
      return new ExitStatus(
          code == codeExited ? status : -1, code == codeExited ? 0 : status, used);
    }
  }

  /** Ends a child of ours that nobody will wait for; it is reaped and this closed by itself. */
  public void abandon() {
    Reaper.end(this);
  }

  @Override
  public void close() {
    descriptor.close();
  }

  @Override
  public String toString() {
    return "pid " + pid;
  }
}
