package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;

/** Where the kernel has no freezer (before Linux 5.2, and no v1 one mounted): SIGSTOP, SIGCONT. */
final class StopSignals implements Freezer {
  private static final int SIGCONT = 18;
  private static final int SIGSTOP = 19;

  private final Directory group;
  private volatile boolean stopped;

  StopSignals(Directory group) {
    this.group = group;
  }

  @Override
  public boolean tryFreeze(long nanos) throws IOException {
    stopped = true;
    Sweep.signal(group, SIGSTOP);
    return true;
  }

  @Override
  public void release() throws IOException {
    stopped = false;
    Sweep.signal(group, SIGCONT);
  }

  @Override
  public void thaw() throws IOException {
    release();
  }

  @Override
  public boolean isFrozen() {
    return stopped;
  }

  @Override
  public String toString() {
    return group.toString();
  }
}
