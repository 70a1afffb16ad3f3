package dev.holdfast;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The graceful end of a job: ask, wait for the kernel to say that it is empty, escalate or release.
 */
final class Stop {
  /** The kernel only looks whether one might be sent (kill(2)). */
  private static final int ASK_ONLY = 0;

  private Stop() {}

  /**
   * Without a signal, the members have been asked already. One that may not be signalled (it runs
   * as another user) takes nothing from the others: they have their grace, and then all are ended
   * alike. Only without escalation is it an error, once the job is released.
   */
  static StopReport stop(
      Job job, JobLifetime lifetime, @Nullable Signal signal, Duration grace, boolean escalate)
      throws IOException, InterruptedException {
    long begin = System.nanoTime();
    int members = lifetime.count();
    IOException refused = null;
    if (signal != null) {
      try {
        lifetime.container().signal(signal.number());
      } catch (IOException failure) {
        refused = failure;
      }
    }
    if (lifetime.container().awaitEmpty(grace)) {
      return new StopReport(members, 0, false, since(begin));
    }
    int survivors = lifetime.count();
    if (escalate) {
      job.kill();
    } else {
      lifetime.release();
      if (refused != null) {
        throw refused;
      }
    }
    return new StopReport(members, survivors, escalate, since(begin));
  }

  /**
   * Does what {@link #stop} begins with, and no member notices: where every moment until the signal
   * is used up by all CPUs, a cold JVM has loaded before what it needs.
   */
  static void rehearse(Job job) {
    try {
      int _ = job.lifetime().count();
      job.lifetime().container().signal(ASK_ONLY);
    } catch (IOException later) {
      // If it is so then, too, that is told then.
    }
  }

  static Duration since(long begin) {
    return Duration.ofNanos(System.nanoTime() - begin);
  }
}
