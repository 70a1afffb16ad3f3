package dev.holdfast.cgroup;

import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.EventCounter;
import dev.holdfast.linux.Poller;
import java.io.IOException;

/**
 * Tells of what v1's memory controller announces as it happens, through an eventfd that is
 * registered in {@code cgroup.event_control} (the kernel's document "Memory Resource Controller").
 *
 * <p>Thread-safe.
 */
final class MemoryWatchV1 implements Watch {
  private static final String OOM = "memory.oom_control";
  private static final String USAGE = "memory.usage_in_bytes";

  private final Poller.Watch watch;
  private final AutoCloseable source;
  private final Runnable action;
  private boolean closed;

  private MemoryWatchV1(Poller.Watch watch, AutoCloseable source, Runnable action) {
    this.watch = watch;
    this.source = source;
    this.action = action;
  }

  /**
   * Fires as the kernel is about to kill, in this group or in all those below the one whose limit
   * was reached.
   */
  static MemoryWatchV1 oom(Directory group, Runnable action) throws IOException {
    return open(group, OOM, "", action);
  }

  /**
   * Fires when use has risen to {@code bytes}, and now if it has already; the kernel also signals
   * when it has fallen below, which is not told. It looks at every 128th page, so use may be half a
   * megabyte further.
   */
  static MemoryWatchV1 use(Directory group, long bytes, Runnable action) throws IOException {
    Runnable ifReached =
        () -> {
          if (isReached(group, bytes)) {
            action.run();
          }
        };
    MemoryWatchV1 watch = open(group, USAGE, Long.toString(bytes), ifReached);
    ifReached.run();
    return watch;
  }

  private static boolean isReached(Directory group, long bytes) {
    try {
      return FlatKeyed.number(group.readIfPresent(USAGE)).orElse(0) >= bytes;
    } catch (IOException removed) {
      return false;
    }
  }

  /** Fires when the kernel finds it as hard as {@code level} to take memory back in the group. */
  static MemoryWatchV1 pressure(Directory group, MemoryPressure level, Runnable action)
      throws IOException {
    return open(group, MemoryPressure.FILE, level.word(), action);
  }

  /** {@code EVENTFD FILE ARGUMENT} in {@code cgroup.event_control}, the first two descriptors. */
  private static MemoryWatchV1 open(Directory group, String file, String argument, Runnable action)
      throws IOException {
    EventCounter counter = EventCounter.create();
    MemoryWatchV1 watch;
    try {
      watch = new MemoryWatchV1(Poller.shared().watch(counter.descriptor()), counter, action);
    } catch (IOException | RuntimeException failure) {
      counter.close();
      throw failure;
    }
    try (Descriptor control = group.openToRead(file)) {
      group.write(
          "cgroup.event_control",
          counter.descriptor().number() + " " + control.number() + " " + argument);
      watch.arm(group, counter);
    } catch (IOException | RuntimeException failure) {
      watch.close();
      throw failure;
    }
    return watch;
  }

  private synchronized void arm(Directory group, EventCounter counter) throws IOException {
    if (!closed) {
      watch.onEvent(Poller.READABLE, () -> signalled(group, counter));
    }
  }

  private void signalled(Directory group, EventCounter counter) {
    try {
      synchronized (this) {
        if (closed) {
          return;
        }
        counter.drain();
      }
      // The removal of the group signals too.
      if (!group.has(USAGE)) {
        close();
        return;
      }
      // First: a listener that throws must not be deaf from then on.
      arm(group, counter);
    } catch (IOException removed) {
      close();
      return;
    }
    action.run();
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    watch.close();
    try {
      source.close();
    } catch (Exception never) {
      throw new AssertionError(never);
    }
  }
}
