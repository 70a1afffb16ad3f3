package dev.holdfast;

import dev.holdfast.containment.CgroupContainer;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Ends the whole job at an out-of-memory kill where the kernel does not do so itself: v1 has no
 * {@code memory.oom.group}.
 */
final class OomWatch implements AutoCloseable {
  private final AutoCloseable watch;

  private OomWatch(AutoCloseable watch) {
    this.watch = watch;
  }

  /** Null where the kernel needs no help, or there is no memory controller to watch. */
  static @Nullable OomWatch start(Job job) throws IOException {
    if (!(job.lifetime().container() instanceof CgroupContainer cgroup)
        || cgroup.endsTogetherAtOom()) {
      return null;
    }
    return new OomWatch(cgroup.onOomKill(() -> Thread.ofVirtual().start(() -> end(job))));
  }

  private static void end(Job job) {
    try {
      job.kill();
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
