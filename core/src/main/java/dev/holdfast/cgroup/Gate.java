package dev.holdfast.cgroup;

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
