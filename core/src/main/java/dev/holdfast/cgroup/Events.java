package dev.holdfast.cgroup;

import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.KernelFiles;
import dev.holdfast.linux.Poller;
import java.io.IOException;
import java.util.OptionalLong;

/** {@code cgroup.events} of a v2 group: the keys {@code populated} and {@code frozen}. */
final class Events {
  static final String FILE = "cgroup.events";

  private Events() {}

  /** What {@code key} is now; empty if the kernel has no such key, or the group was removed. */
  static OptionalLong value(Directory group, String key) throws IOException {
    return FlatKeyed.value(group.readKept(FILE), key);
  }

  /**
   * Waits until {@code key} is {@code value}; a change of either key wakes us, hence the
   * comparison. False if it is not by {@code deadline}, a value of {@link System#nanoTime}. A
   * removed group is neither populated nor frozen.
   */
  static boolean await(Directory group, String key, long value, long deadline)
      throws IOException, InterruptedException {
    try (Descriptor events = group.openToRead(FILE);
        Poller.Watch watch = Poller.shared().watch(events)) {
      String path = group.path().resolve(FILE).toString();
      while (true) {
        OptionalLong now = FlatKeyed.value(KernelFiles.read(events, path), key);
        if (now.isEmpty()) {
          return false;
        }
        if (now.getAsLong() == value) {
          return true;
        }
        // The descriptor shows PRIORITY when the file has changed since it was read last.
        if (watch.await(Poller.PRIORITY, deadline) == 0 && deadline - System.nanoTime() <= 0) {
          return FlatKeyed.value(KernelFiles.read(events, path), key)
              .equals(OptionalLong.of(value));
        }
      }
    } catch (IOException failure) {
      if (Refusal.isGone(failure)) {
        return value == 0;
      }
      throw failure;
    }
  }

  /** As {@link #await}; an interrupt is kept for later. */
  static boolean awaitUninterruptibly(Directory group, String key, long value, long deadline)
      throws IOException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return await(group, key, value, deadline);
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
