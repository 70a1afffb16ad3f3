package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that waits for the kernel: pidfds, {@code cgroup.events}, sockets and pipes, with
 * epoll(7).
 *
 * <p>A descriptor is registered as one-shot: an event disarms it until somebody waits again, so a
 * descriptor that stays ready (a pidfd of an ended process) never makes the thread spin. Waiting
 * parks the calling thread, which on a virtual thread holds no platform thread.
 *
 * <p>Thread-safe. One per JVM, started at first use, a daemon.
 */
public final class Poller {
  /** Readable, or a pidfd's process has ended. */
  public static final int READABLE = 0x001;

  /** Exceptional condition: how cgroup files announce a change. */
  public static final int PRIORITY = 0x002;

  public static final int WRITABLE = 0x004;

  /** Always reported; no error on cgroup files, which show it with every change. */
  public static final int ERROR = 0x008;

  /** Always reported, so waiting for it alone waits for the end of file. */
  public static final int HANGUP = 0x010;

  private static final int EPOLL_CLOEXEC = 0x80000;
  private static final int ADD = 1;
  private static final int DELETE = 2;
  private static final int MODIFY = 3;
  private static final int ONE_SHOT = 1 << 30;
  private static final int BATCH = 64;

  /**
   * A platform thread looks for so long at the descriptor itself before it parks: the usual short
   * wait (a child that execs, ends, or answers at once) then costs one wake-up instead of two.
   */
  static final long DIRECT_WAIT_NANOS = 2_000_000;

  /** See {@link #rest}. */
  private static final long REST_NANOS = 3_000_000;

  private static volatile @Nullable Poller shared;

  private final Descriptor epoll;
  private final int eventSize;
  private final int dataOffset;
  private final AtomicLong tokens = new AtomicLong();
  private volatile boolean resting;
  private final ConcurrentMap<Long, Watch> watches = new ConcurrentHashMap<>();

  private Poller() throws SystemCallException {
    Kernel kernel = Kernel.get();
    this.epoll =
        new Descriptor((int) kernel.check(SystemCall.EPOLL_CREATE1, null, EPOLL_CLOEXEC, 0, 0, 0));
    // struct epoll_event is packed on x86-64 only.
    boolean packed = kernel.architecture().equals("x86_64");
    this.eventSize = packed ? 12 : 16;
    this.dataOffset = packed ? 4 : 8;
    Thread thread = Thread.ofPlatform().daemon().name("holdfast-poller").unstarted(this::run);
    thread.start();
  }

  /** The poller of this JVM. */
  public static Poller shared() throws SystemCallException {
    Poller poller = shared;
    if (poller == null) {
      synchronized (Poller.class) {
        poller = shared;
        if (poller == null) {
          shared = poller = new Poller();
        }
      }
    }
    return poller;
  }

  /** Prepares waiting for {@code descriptor}; nothing is registered with the kernel yet. */
  public Watch watch(Descriptor descriptor) {
    return new Watch(descriptor);
  }

  /** How many descriptors are registered; for tests. */
  int size() {
    return watches.size();
  }

  /**
   * To be called when the JVM shuts down. {@code System.exit} waits up to 300 ms for threads that
   * are in native code (HotSpot's {@code VM_Exit::wait_for_threads_in_native_to_block}), and this
   * one would be, in epoll; so from now on it only looks now and then.
   */
  public static void rest() throws IOException {
    Poller poller = shared;
    if (poller == null || poller.resting) {
      return;
    }
    poller.resting = true;
    // An event at once, from something that is ready; never closed, since the JVM ends.
    Pipe pipe = Pipe.forReading();
    pipe.writeEnd().close();
    poller.control(ADD, pipe.readEnd().number(), HANGUP | ONE_SHOT, 0);
  }

  private void run() {
    Arena arena = Arena.global();
    MemorySegment events = arena.allocate((long) eventSize * BATCH, 8);
    Kernel kernel = Kernel.get();
    while (true) {
      try {
        int wait = resting ? 0 : -1;
        long count =
            kernel.call(
                SystemCall.EPOLL_PWAIT, epoll.number(), events.address(), BATCH, wait, 0, 0);
        if (wait == 0 && count == 0) {
          LockSupport.parkNanos(REST_NANOS);
        }
        for (int i = 0; i < count; i++) {
          long at = (long) i * eventSize;
          int fired = events.get(ValueLayout.JAVA_INT_UNALIGNED, at);
          long token = events.get(ValueLayout.JAVA_LONG_UNALIGNED, at + dataOffset);
          Watch watch = watches.get(token);
          if (watch != null) {
            fire(watch, fired);
          }
        }
      } catch (Throwable failure) {
        tell(failure);
      }
    }
  }

  /**
   * A callback's mistake must not end the one thread that everybody waits for, nor cost others that
   * the kernel told of together with it their event.
   */
  private static void fire(Watch watch, int events) {
    try {
      watch.fire(events);
    } catch (Throwable failure) {
      tell(failure);
    }
  }

  private static void tell(Throwable failure) {
    Thread current = Thread.currentThread();
    try {
      current.getUncaughtExceptionHandler().uncaughtException(current, failure);
    } catch (Throwable ofTheHandler) {
      // As the JVM does when a thread ends so.
    }
  }

  private void control(int operation, int number, int events, long token)
      throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(16, 8);
      event.set(ValueLayout.JAVA_INT_UNALIGNED, 0, events);
      event.set(ValueLayout.JAVA_LONG_UNALIGNED, dataOffset, token);
      Kernel.get()
          .check(SystemCall.EPOLL_CTL, null, epoll.number(), operation, number, event.address());
    } catch (SystemCallException failure) {
      throw failure;
    } catch (IOException closed) {
      throw new AssertionError(closed);
    }
  }

  /** Looks at one descriptor with ppoll(2); returns what it shows, 0 after the time. */
  static int look(int number, int events, long nanos) throws SystemCallException {
    // struct pollfd: s32 fd, s16 events, s16 revents. struct timespec: s64 seconds, s64
    // nanoseconds.
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment poll = arena.allocate(8, 8);
      poll.set(ValueLayout.JAVA_INT, 0, number);
      poll.set(ValueLayout.JAVA_SHORT, 4, (short) events);
      MemorySegment time = arena.allocate(16, 8);
      time.set(ValueLayout.JAVA_LONG, 0, nanos / 1_000_000_000L);
      time.set(ValueLayout.JAVA_LONG, 8, nanos % 1_000_000_000L);
      Kernel.get().check(SystemCall.PPOLL, null, poll.address(), 1, time.address(), 0);
      return Short.toUnsignedInt(poll.get(ValueLayout.JAVA_SHORT, 6));
    }
  }

  /**
   * Waiting for one descriptor. Serves one waiter at a time; two directions of one descriptor are
   * two watches on two descriptors. Close it before the descriptor.
   */
  public final class Watch implements AutoCloseable {
    private final Descriptor descriptor;
    private final long token = tokens.incrementAndGet();
    private boolean registered;
    private boolean closed;
    private int fired;
    private @Nullable Thread waiter;
    private @Nullable IntConsumer callback;

    private Watch(Descriptor descriptor) {
      this.descriptor = descriptor;
    }

    /**
     * Waits until one of {@code events} (or an error or hang-up) is there.
     *
     * @param deadline a value of {@link System#nanoTime}, or {@link Long#MAX_VALUE} for none
     * @return the events that were seen, 0 if the deadline passed or the watch was closed
     * @throws InterruptedException if the thread is interrupted while it waits; never if the event
     *     is there at once
     */
    public int await(int events, long deadline) throws IOException, InterruptedException {
      long left = remaining(deadline);
      if (!Thread.currentThread().isVirtual()) {
        int seen = look(descriptor.number(), events, Math.clamp(left, 0, DIRECT_WAIT_NANOS));
        if (seen != 0) {
          return seen;
        }
      }
      synchronized (this) {
        if (closed) {
          return 0;
        }
        fired = 0;
        waiter = Thread.currentThread();
        arm(events);
      }
      try {
        while (true) {
          synchronized (this) {
            if (fired != 0 || closed) {
              return fired;
            }
          }
          if (Thread.interrupted()) {
            throw new InterruptedException("interrupted while waiting for " + descriptor);
          }
          left = remaining(deadline);
          if (left <= 0) {
            return 0;
          }
          if (deadline == Long.MAX_VALUE) {
            LockSupport.park(this);
          } else {
            LockSupport.parkNanos(this, left);
          }
        }
      } finally {
        synchronized (this) {
          waiter = null;
        }
      }
    }

    /**
     * Has {@code action} run by the poller's thread once, at the next of {@code events}. It must be
     * short and never block.
     */
    public void onEvent(int events, Runnable action) throws IOException {
      onEvents(events, seen -> action.run());
    }

    /** As {@link #onEvent}; the action is told which events were seen. */
    public void onEvents(int events, IntConsumer action) throws IOException {
      synchronized (this) {
        if (!closed) {
          callback = action;
          arm(events);
        }
      }
    }

    /** Takes back {@link #onEvent}, for somebody who looks at the descriptor himself. */
    public synchronized void suspend() throws IOException {
      callback = null;
      if (registered && !closed) {
        registered = false;
        watches.remove(token);
        control(DELETE, descriptor.number(), 0, token);
      }
    }

    /** Ends the watch; a thread that waits in it returns. Idempotent. */
    @Override
    public void close() {
      Thread wake;
      synchronized (this) {
        if (closed) {
          return;
        }
        closed = true;
        wake = waiter;
        callback = null;
        if (registered) {
          watches.remove(token);
          try {
            control(DELETE, descriptor.number(), 0, token);
          } catch (IOException gone) {
            // A closed descriptor has left the set by itself.
          }
        }
      }
      if (wake != null) {
        LockSupport.unpark(wake);
      }
    }

    private void arm(int events) throws IOException {
      if (!registered) {
        watches.put(token, this);
        try {
          control(ADD, descriptor.number(), events | ONE_SHOT, token);
          registered = true;
        } finally {
          if (!registered) {
            watches.remove(token);
          }
        }
      } else {
        control(MODIFY, descriptor.number(), events | ONE_SHOT, token);
      }
    }

    private void fire(int events) {
      Thread wake;
      IntConsumer action;
      synchronized (this) {
        fired = events;
        wake = waiter;
        action = callback;
        callback = null;
      }
      if (wake != null) {
        LockSupport.unpark(wake);
      }
      if (action != null) {
        action.accept(events);
      }
    }

    private static long remaining(long deadline) {
      return deadline == Long.MAX_VALUE ? Long.MAX_VALUE : deadline - System.nanoTime();
    }
  }
}
