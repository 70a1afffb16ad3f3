package dev.holdfast;

import dev.holdfast.containment.CgroupContainer;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Ends the whole job at an out-of-memory kill where the kernel does not do so itself: v1 has no
 * {@code memory.oom.group}.
 */
final class OomGroup implements AutoCloseable {
  private static final int LOOKS = 11;
  private static final long FIRST_PAUSE_NANOS = 1_000_000;

  private final AutoCloseable watch;

  private OomGroup(AutoCloseable watch) {
    this.watch = watch;
  }

  /** Null where the kernel needs no help, or there is no memory controller to watch. */
  static @Nullable OomGroup start(Job job) throws IOException {
    if (!(job.lifetime().container() instanceof CgroupContainer cgroup)
        || cgroup.endsTogetherAtOom()) {
      return null;
    }
    return new OomGroup(cgroup.onOomKill(() -> Thread.ofVirtual().start(() -> end(job))));
  }

  /**
   * v1 tells that it is out of memory just before it kills, and has no event for the kill itself:
   * so the counter is looked at a bounded number of times. If it does not move, the kernel found
   * memory in the end.
   */
  private static void end(Job job) {
    try {
      long pause = FIRST_PAUSE_NANOS;
      for (int look = 0; look < LOOKS; look++) {
        if (job.usage().memory().oomKills().orElse(0) > 0) {
          job.kill();
          return;
        }
        LockSupport.parkNanos(pause);
        pause *= 2;
      }
    } catch (IOException closedMeanwhile) {
      // Closing the job ends it too.
    } catch (InterruptedException neverInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      watch.close();
    } catch (IOException | RuntimeException failure) {
      throw failure;
    } catch (Exception failure) {
      throw new IOException(failure);
    }
  }
}
