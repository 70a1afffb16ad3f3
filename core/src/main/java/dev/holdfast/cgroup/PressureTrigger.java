package dev.holdfast.cgroup;

import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.KernelFiles;
import dev.holdfast.linux.Poller;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A PSI trigger (the kernel's document "PSI - Pressure Stall Information"): {@code some 150000
 * 1000000} written to {@code memory.pressure} has the descriptor show POLLPRI, at most once a
 * window, when tasks were stalled for so many microseconds within the window. One trigger a
 * descriptor.
 */
final class PressureTrigger implements Watch {
  /** The kernel takes windows from 500 ms to 10 s. */
  private static final Duration SHORTEST = Duration.ofMillis(500);

  private static final Duration LONGEST = Duration.ofSeconds(10);

  /** Without CAP_SYS_RESOURCE the kernel takes multiples of this, since Linux 6.4. */
  private static final Duration UNPRIVILEGED = Duration.ofSeconds(2);

  private final Descriptor file;
  private final Poller.Watch watch;
  private final Runnable action;
  private boolean closed;

  private PressureTrigger(Descriptor file, Runnable action) throws IOException {
    this.file = file;
    this.action = action;
    this.watch = Poller.shared().watch(file);
  }

  static PressureTrigger open(
      Directory group,
      PressureKind kind,
      boolean full,
      Duration stall,
      Duration window,
      Runnable action)
      throws IOException {
    if (stall.isNegative()
        || stall.isZero()
        || stall.compareTo(window) > 0
        || window.compareTo(SHORTEST) < 0
        || window.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "a pressure trigger is a stall above 0 within a window from 500 ms to 10 s, not "
              + stall
              + " within "
              + window);
    }
    String text = (full ? "full " : "some ") + micros(stall) + " " + micros(window);
    try {
      return open(group, kind, text, action);
    } catch (SystemCallException refused) {
      throw Refusal.of(
          "cannot watch the pressure in " + group.path(), refused, remedy(refused.errno(), window));
    }
  }

  private static PressureTrigger open(
      Directory group, PressureKind kind, String text, Runnable action) throws IOException {
    Descriptor file = group.openToReadAndWrite(kind.file());
    try {
      KernelFiles.write(file, group.path().resolve(kind.file()).toString(), text + "\0");
      PressureTrigger trigger = new PressureTrigger(file, action);
      trigger.arm();
      return trigger;
    } catch (IOException | RuntimeException failure) {
      file.close();
      throw failure;
    }
  }

  private static String remedy(int errno, Duration window) {
    return switch (errno) {
      case Errno.ENOENT -> "use a kernel with CONFIG_PSI, booted with psi=1";
      case Errno.EOPNOTSUPP -> "boot with psi=1: this kernel has PSI, but does not measure it";
      case Errno.EINVAL, Errno.EPERM, Errno.EACCES ->
          window.toMillis() % UNPRIVILEGED.toMillis() == 0
              ? "run as root (CAP_SYS_RESOURCE): before Linux 6.4 nobody else may"
              : "give a window of a multiple of 2 s, or run as root (CAP_SYS_RESOURCE)";
      default -> Refusal.remedy(errno);
    };
  }

  private static long micros(Duration time) {
    return TimeUnit.NANOSECONDS.toMicros(time.toNanos());
  }

  private synchronized void arm() throws IOException {
    if (!closed) {
      watch.onEvents(Poller.PRIORITY, this::fired);
    }
  }

  private void fired(int events) {
    // Unlike with other cgroup files POLLERR is an error here: the group was removed.
    if ((events & Poller.ERROR) != 0) {
      close();
      return;
    }
    try {
      arm(); // first: whatever the action throws, the next stall is told of
    } catch (IOException removed) {
      close();
      return;
    }
    action.run();
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      watch.close();
      file.close();
    }
  }
}
