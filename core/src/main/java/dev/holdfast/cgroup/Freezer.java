package dev.holdfast.cgroup;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Stops a group's members where they are, and lets them go on. */
interface Freezer {
  /** How long members may take to come to a stop, or to go on. */
  long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** Returns when all are frozen; otherwise thaws them again and throws. */
  default void freeze() throws IOException {
    if (!tryFreeze(PATIENCE_NANOS)) {
      thaw();
      throw new HoldfastException(
          "cannot freeze " + this,
          "its members did not come to a stop in 2 s",
          "a member is in an uninterruptible call, or somebody thaws the group; try again",
          null);
    }
  }

  /** Asks the members to freeze and waits so long; false if they have not come to it. */
  boolean tryFreeze(long nanos) throws IOException;

  /** Whether it also stops members that a signal has killed, on their way to their end. */
  default boolean holdsTheDying() {
    return false;
  }

  /** Asks the members to go on; does not wait. */
  void release() throws IOException;

  /**
   * As {@link #release}, and what members froze of their own, so that it can end.
   *
   * @param deadline until when that is looked for, should that take long
   */
  default void releaseAll(long deadline) throws IOException {
    release();
  }

  /** Returns when they can go on. */
  void thaw() throws IOException;

  boolean isFrozen() throws IOException;
}
