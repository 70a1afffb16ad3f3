package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What the kernel tells of one group while it happens, and the hierarchy that tells of it. None of
 * it takes a thread: {@link dev.holdfast.linux.Poller} runs what is to be run.
 *
 * <p>Thread-safe.
 */
final class Watching {
  private final String name;
  private final Supplier<Branches> branches;

  /**
   * Of a group.
   *
   * @param name for messages
   * @param branches those that it has by now
   */
  Watching(String name, Supplier<Branches> branches) {
    this.name = name;
    this.branches = branches;
  }

  /** See {@link Cgroup#watchOom}. */
  Watch oom(Runnable action) throws IOException {
    Branch v1 = branches.get().v1With("memory");
    return v1 == null
        ? EventWatch.oomKills(branches.get().membership().directory(), action)
        : MemoryWatchV1.oom(v1.directory(), action);
  }

  /** See {@link Cgroup#listen}. */
  EventWatch events(Consumer<CgroupEvent> listener) throws IOException {
    return EventWatch.open(branches.get().all(), listener);
  }

  /** See {@link Cgroup#onPressure}. */
  Watch pressure(PressureKind kind, boolean full, Duration stall, Duration window, Runnable action)
      throws IOException {
    return PressureTrigger.open(unified("pressure"), kind, full, stall, window, action);
  }

  /** See {@link Cgroup#onMemoryUse}. */
  Watch memoryUse(long bytes, Runnable action) throws IOException {
    return MemoryWatchV1.use(legacyMemory("amounts of memory"), bytes, action);
  }

  /** See {@link Cgroup#onMemoryPressure}. */
  Watch memoryPressure(MemoryPressure level, Runnable action) throws IOException {
    return MemoryWatchV1.pressure(legacyMemory("levels of pressure"), level, action);
  }

  /** See {@link Cgroup#peakWindow} and {@link Cgroup#swapPeakWindow}. */
  PeakWindow peak(String file) throws IOException {
    return PeakWindow.open(unified("a peak that can be reset"), file);
  }

  /**
   * The v2 directory.
   *
   * @param what it is needed for
   */
  Directory unified(String what) throws HoldfastException {
    Branch membership = branches.get().membership();
    if (!membership.unified()) {
      throw new HoldfastException(
          "cannot do this with the group " + name,
          "v1 does not have " + what,
          "boot with cgroup v2, or with both",
          null);
    }
    return membership.directory();
  }

  private Directory legacyMemory(String what) throws HoldfastException {
    Branch v1 = branches.get().v1With("memory");
    if (v1 == null) {
      throw new HoldfastException(
          "cannot do this with the group " + name,
          "v2 tells of no " + what,
          "limit memory-high and listen for MEMORY_HIGH, or watch the pressure (PSI)",
          null);
    }
    return v1.directory();
  }
}
