package dev.holdfast.cgroup;

import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.EventCounter;
import dev.holdfast.linux.Poller;
import java.io.IOException;

/** Tells of out-of-memory kills on v1 as they happen. Thread-safe. */
final class OomWatch implements AutoCloseable {
  private final Poller.Watch watch;
  private final AutoCloseable source;
  private final Runnable action;
  private boolean closed;

  private OomWatch(Poller.Watch watch, AutoCloseable source, Runnable action) {
    this.watch = watch;
    this.source = source;
    this.action = action;
  }

  /**
   * An eventfd that is registered through {@code cgroup.event_control}; it fires as the kernel is
   * about to kill, in this group or in all those below the one whose limit was reached.
   */
  static OomWatch v1(Directory group, Runnable action) throws IOException {
    final String file = "memory.oom_control";
    EventCounter counter = EventCounter.create();
    OomWatch oom;
    try {
      oom = new OomWatch(Poller.shared().watch(counter.descriptor()), counter, action);
    } catch (IOException | RuntimeException failure) {
      counter.close();
      throw failure;
    }
    try (Descriptor control = group.openToRead(file)) {
      group.write("cgroup.event_control", counter.descriptor().number() + " " + control.number());
      oom.armV1(group, counter);
    } catch (IOException | RuntimeException failure) {
      oom.close();
      throw failure;
    }
    return oom;
  }

  private synchronized void armV1(Directory group, EventCounter counter) throws IOException {
    if (!closed) {
      watch.onEvent(Poller.READABLE, () -> signalledV1(group, counter));
    }
  }

  private void signalledV1(Directory group, EventCounter counter) {
    try {
      synchronized (this) {
        if (closed) {
          return;
        }
        counter.drain();
      }
      // The removal of the group signals too.
      if (!group.has("memory.oom_control")) {
        close();
        return;
      }
      armV1(group, counter); // first: whatever the action throws, the next kill is told of
      action.run();
    } catch (IOException removed) {
      close();
    }
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
