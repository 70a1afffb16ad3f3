package dev.holdfast.containment;

import dev.holdfast.cgroup.HoldfastException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Where a job's starts go through, any number at the same time. Whoever closes it waits for those
 * under way, and no other begins until it is open again.
 *
 * <p>Thread-safe. Who closes it opens it, on the same thread.
 */
final class StartGate {
  /** What a freeze waits for starts that are under way, and for members to stand still. */
  static final Duration PATIENCE = Duration.ofSeconds(2);

  /** Of a job. */
  @FunctionalInterface
  interface Thaw {
    void go() throws IOException;
  }

  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Who comes in waits for this first; see {@link #bar}. */
  private final ReentrantLock entrance = new ReentrantLock();

  /** A start begins. */
  void enter() {
    entrance.lock();
    try {
      lock.readLock().lock();
    } finally {
      entrance.unlock();
    }
  }

  /** Until it is closed, no start begins. */
  interface Bar extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Keeps starts from beginning, whatever becomes of those under way, which are waited for as long
   * as {@code patience}: one may hang.
   */
  Bar bar(Duration patience) throws InterruptedException {
    boolean barred = entrance.tryLock(patience.toNanos(), TimeUnit.NANOSECONDS);
    boolean closed;
    try {
      closed = tryClose(patience);
    } catch (InterruptedException interrupted) {
      if (barred) {
        entrance.unlock();
      }
      throw interrupted;
    }
    return () -> {
      if (closed) {
        open();
      }
      if (barred) {
        entrance.unlock();
      }
    };
  }

  /** A start is over. */
  void leave() {
    lock.readLock().unlock();
  }

  void close() {
    lock.writeLock().lock();
  }

  /** Closes it if no start is under way. */
  boolean tryClose() {
    return lock.writeLock().tryLock();
  }

  /** Closes it unless a start is under way for so long. */
  boolean tryClose(Duration patience) throws InterruptedException {
    return lock.writeLock().tryLock(patience.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Closes it to freeze the job: a child on its way to its exec must not be stopped. */
  void closeToFreeze() throws HoldfastException, InterruptedException {
    if (!tryClose(PATIENCE)) {
      throw cannotFreeze("a start is still under way");
    }
  }

  void open() {
    lock.writeLock().unlock();
  }

  /** Whoever stands still after a freeze that failed goes on. */
  static void thawAfter(IOException failure, Thaw thaw) {
    try {
      thaw.go();
    } catch (IOException stopped) {
      failure.addSuppressed(stopped);
    }
  }

  static HoldfastException cannotFreeze(String why) {
    return new HoldfastException(
        "cannot freeze the job",
        why + " after " + PATIENCE.toSeconds() + " s",
        "try again, or kill the job",
        null);
  }

  /** What a start in a frozen job is refused with. */
  static HoldfastException frozen(String why) {
    return new HoldfastException("cannot start in a frozen job", why, "thaw the job first", null);
  }

  /** What a start in a closed job is refused with. */
  static HoldfastException closed() {
    return new HoldfastException("cannot start", "the job is closed", "open another one", null);
  }
}
