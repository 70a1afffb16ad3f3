package dev.holdfast.cgroup;

import java.io.IOException;

/**
 * Lets many threads in at once. What it guards is closed when it has been shut and the last one has
 * left, so nobody's descriptor number is given to another file under his hands.
 *
 * <p>Thread-safe.
 */
final class Gate {
  private final Runnable closeGuarded;
  private int inside;
  private boolean shut;

  Gate(Runnable closeGuarded) {
    this.closeGuarded = closeGuarded;
  }

  /** What is done inside. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException;
  }

  /** Does {@code work}, which is to {@code what}; an error once it is shut. */
  <T> T inside(String what, Work<T> work) throws HoldfastException {
    if (!enter()) {
      throw new HoldfastException("cannot " + what, "the group is removed", "make a new one", null);
    }
    return entered(what, work);
  }

  /** As above, but once it is shut this is {@code removed}. */
  <T> T insideOr(T removed, String what, Work<T> work) throws HoldfastException {
    return enter() ? entered(what, work) : removed;
  }

  private <T> T entered(String what, Work<T> work) throws HoldfastException {
    try {
      return work.run();
    } catch (IOException failure) {
      throw Refusal.of("cannot " + what, failure);
    } finally {
      leave();
    }
  }

  /** False when it is shut; otherwise {@link #leave} must follow. */
  synchronized boolean enter() {
    if (shut) {
      return false;
    }
    inside++;
    return true;
  }

  void leave() {
    boolean last;
    synchronized (this) {
      inside--;
      last = shut && inside == 0;
    }
    if (last) {
      closeGuarded.run();
    }
  }

  /** Lets nobody in any more. Idempotent; must be called by somebody who is inside. */
  synchronized void shut() {
    shut = true;
  }
}
