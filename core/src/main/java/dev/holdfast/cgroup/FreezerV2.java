package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;

/** {@code cgroup.freeze}; its effect shows as {@code frozen} in {@code cgroup.events}. */
final class FreezerV2 implements Freezer {
  static final String FILE = "cgroup.freeze";

  private final Directory group;

  FreezerV2(Directory group) {
    this.group = group;
  }

  @Override
  public boolean tryFreeze(long nanos) throws IOException {
    group.write(FILE, "1");
    return Events.awaitUninterruptibly(group, "frozen", 1, System.nanoTime() + nanos);
  }

  @Override
  public void release() throws IOException {
    group.write(FILE, "0");
  }

  @Override
  public void thaw() throws IOException {
    release();
    if (!Events.awaitUninterruptibly(group, "frozen", 0, System.nanoTime() + PATIENCE_NANOS)) {
      throw new HoldfastException(
          "cannot thaw " + group,
          "it is still frozen after 2 s",
          "thaw the group above that is frozen",
          null);
    }
  }

  /** A frozen group above shows here too. */
  @Override
  public boolean isFrozen() throws IOException {
    // Each start asks, so the files stay open. Asked to freeze and frozen are two things: a group
    // whose members have not all stopped yet freezes who comes in too.
    return Events.value(group, "frozen").orElse(0) == 1
        || FlatKeyed.number(group.readKept(FILE)).orElse(0) == 1;
  }

  @Override
  public String toString() {
    return group.toString();
  }
}
