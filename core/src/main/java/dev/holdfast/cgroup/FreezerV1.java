package dev.holdfast.cgroup;

import dev.holdfast.linux.AnyMode;
import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * {@code freezer.state} of v1: {@code FREEZING} until every member has stopped, which the kernel
 * finds out when somebody reads, and which a fork at the wrong moment can prevent until {@code
 * FROZEN} is written again. There is no event for any of it.
 */
final class FreezerV1 implements Freezer {
  static final String FILE = "freezer.state";
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final int TRIES_BEFORE_THAW = 50;

  private final Directory group;

  FreezerV1(Directory group) {
    this.group = group;
  }

  @Override
  public boolean tryFreeze(long nanos) throws IOException {
    long deadline = System.nanoTime() + nanos;
    for (int tries = 1; ; tries++) {
      group.write(FILE, "FROZEN");
      if (state().equals("FROZEN")) {
        return true;
      }
      if (deadline - System.nanoTime() <= 0) {
        return false;
      }
      if (tries % TRIES_BEFORE_THAW == 0) {
        // Two members can wait for each other half frozen.
        group.write(FILE, "THAWED");
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  @Override
  public boolean holdsTheDying() {
    return true;
  }

  @Override
  public void release() throws IOException {
    group.write(FILE, "THAWED");
  }

  /** What a v1 freezer holds does not even notice SIGKILL, and each nested group has its own. */
  @Override
  public void releaseAll(long deadline) throws IOException {
    releaseAll(group, deadline);
  }

  static void releaseAll(Directory top, long deadline) throws IOException {
    Nested.Visitor release =
        new Nested.Visitor() {
          @Override
          public void at(Directory nested) throws IOException {
            var _ = AnyMode.tryWrite(nested, FILE, "THAWED");
          }
        };
    // Who was not reached has another round.
    var _ = Nested.walk(top, release, deadline);
  }

  @Override
  public void thaw() throws IOException {
    release();
    if (isFrozen()) {
      throw new HoldfastException(
          "cannot thaw " + group,
          FILE + " still reads " + state(),
          "thaw the group above that is frozen",
          null);
    }
  }

  /** A frozen group above shows here too. */
  @Override
  public boolean isFrozen() throws IOException {
    String state = state();
    return state.equals("FROZEN") || state.equals("FREEZING");
  }

  private String state() throws IOException {
    return group.read(FILE).strip();
  }

  @Override
  public String toString() {
    return group.toString();
  }
}
