package dev.holdfast;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The graceful end of a job: ask, wait for the kernel to say that it is empty, escalate or release.
 */
final class Stop {
  private Stop() {}

  /** Without a signal, the members have been asked already. */
  static StopReport stop(
      Job job, JobLifetime lifetime, @Nullable Signal signal, Duration grace, boolean escalate)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    int members = job.members().size();
    if (signal != null) {
      lifetime.container().signal(signal.number());
    }
    if (lifetime.container().awaitEmpty(grace)) {
      return new StopReport(members, 0, false, since(begin));
    }
    int survivors = job.members().size();
    if (escalate) {
      job.kill();
    } else {
      lifetime.release();
    }
    return new StopReport(members, survivors, escalate, since(begin));
  }

  static Duration since(long begin) {
    return Duration.ofNanos(System.nanoTime() - begin);
  }
}
