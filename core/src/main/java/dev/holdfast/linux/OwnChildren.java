package dev.holdfast.linux;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The children of this process that somebody here waits for: what keepers have started, and the
 * keepers. Any other child may be an orphan that came to us as a subreaper, unless a start is under
 * way: then it may be a child of which nobody has been told yet.
 *
 * <p>Thread-safe.
 */
public final class OwnChildren {
  private static final ConcurrentMap<Integer, Pidfd> KNOWN = new ConcurrentHashMap<>();
  private static final AtomicLong BEGUN = new AtomicLong();
  private static final AtomicLong ENDED = new AtomicLong();

  private OwnChildren() {}

  /** To be called before a child can come to be. */
  static void starting() {
    BEGUN.incrementAndGet();
  }

  /** To be called once it is known, or there is none. */
  static void started() {
    ENDED.incrementAndGet();
  }

  static void add(Pidfd child) {
    KNOWN.put(child.pid(), child);
  }

  /** It has been reaped; its number may be that of a later child already. */
  static void remove(Pidfd child) {
    KNOWN.remove(child.pid(), child);
  }

  /** Whether it is known who waits for this child. */
  public static boolean has(int pid) {
    return KNOWN.containsKey(pid);
  }

  /** How many starts there have been so far; −1 while one is under way. */
  public static long starts() {
    long ended = ENDED.get();
    return BEGUN.get() == ended ? ended : -1;
  }
}
