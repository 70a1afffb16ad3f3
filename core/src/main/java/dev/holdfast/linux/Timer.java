package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Has something run later by the poller's thread (timerfd_create(2)): nobody waits meanwhile, and
 * no thread has to be made, which may be what there is no room for.
 *
 * <p>Thread-safe.
 */
final class Timer implements AutoCloseable {
  private static final int CLOCK_MONOTONIC = 1;
  private static final int NON_BLOCKING_CLOSE_ON_EXEC = 0x800 | 0x80000;
  private static final long SECOND = 1_000_000_000L;

  private final Descriptor descriptor;
  private final Poller.Watch watch;

  Timer() throws SystemCallException {
    this.descriptor =
        new Descriptor(
            (int)
                Kernel.get()
                    .check(
                        SystemCall.TIMERFD_CREATE,
                        null,
                        CLOCK_MONOTONIC,
                        NON_BLOCKING_CLOSE_ON_EXEC,
                        0,
                        0));
    this.watch = Poller.shared().watch(descriptor);
  }

  /**
   * Has {@code action}, which must be short and never block, run once after {@code nanos}, which
   * are more than 0; what was to run before that is forgotten.
   */
  synchronized void after(long nanos, Runnable action) throws IOException {
    // struct itimerspec: the interval, 0 for once, and the time; each s64 seconds, s64 nanoseconds.
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time = arena.allocate(32, 8);
      time.set(ValueLayout.JAVA_LONG, 16, nanos / SECOND);
      time.set(ValueLayout.JAVA_LONG, 24, nanos % SECOND);
      // It stays readable after its time until it is set again.
      Kernel.get()
          .check(SystemCall.TIMERFD_SETTIME, null, descriptor.number(), 0, time.address(), 0);
    }
    watch.onEvent(Poller.READABLE, action);
  }

  @Override
  public void close() {
    watch.close();
    descriptor.close();
  }
}
