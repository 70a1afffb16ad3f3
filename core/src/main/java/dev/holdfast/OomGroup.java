package dev.holdfast;

import dev.holdfast.containment.CgroupContainer;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Ends the whole job at an out-of-memory kill where the kernel does not do so itself: v1 has no
 * {@code memory.oom.group}, and that of v2 does not concern kills for the limit of a nested group.
 */
final class OomGroup implements AutoCloseable {
  private static final int LOOKS = 11;
  private static final long FIRST_PAUSE_NANOS = 1_000_000;

  private final AutoCloseable watch;

  private OomGroup(AutoCloseable watch) {
    this.watch = watch;
  }

  /** Whether one out-of-memory kill ends the whole job, by what was asked for last. */
  static boolean isOf(Job job) {
    return !(job.lifetime().container() instanceof CgroupContainer cgroup)
        || cgroup.endsTogetherAtOom();
  }

  /**
   * Watches for as long as the job may be told to end together. Null where there is no memory
   * controller to watch.
   */
  static @Nullable OomGroup start(Job job) throws IOException {
    // The poller holds what is watched, and a job must be able to be forgotten: so not the job.
    JobLifetime lifetime = job.lifetime();
    if (!(lifetime.container() instanceof CgroupContainer cgroup) || !cgroup.countsOomKills()) {
      return null;
    }
    return new OomGroup(
        cgroup.onOomKill(() -> Thread.ofVirtual().start(() -> end(lifetime, cgroup))));
  }

  /**
   * v1 tells that it is out of memory just before it kills, and has no event for the kill itself:
   * so the counter is looked at a bounded number of times. If it does not move, the kernel found
   * memory in the end.
   */
  private static void end(JobLifetime lifetime, CgroupContainer cgroup) {
    try {
      long pause = FIRST_PAUSE_NANOS;
      for (int look = 0; look < LOOKS && cgroup.endsTogetherAtOom(); look++) {
        if (lifetime.usage().memory().oomKills().orElse(0) > 0) {
          lifetime.checkOpen();
          cgroup.kill(lifetime.deadline());
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
