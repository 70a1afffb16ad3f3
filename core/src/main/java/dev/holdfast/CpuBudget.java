package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import java.io.IOException;
import java.time.Duration;

/**
 * A cumulative budget of CPU time. The kernel has no such limit ({@code cpu.max} is a rate) and no
 * event for it, so the usage is looked at when the budget can be used up at the earliest: what is
 * left, divided by the CPUs there are.
 */
final class CpuBudget {
  private static final long SHORTEST_LOOK_NANOS = 2_000_000;

  private final Job job;
  private final long budgetNanos;
  private long left;

  CpuBudget(Job job, Duration budget) {
    this.job = job;
    this.budgetNanos = budget.toNanos();
    this.left = budgetNanos;
  }

  /** Fails where nobody counts the CPU time of the whole tree. */
  static void check(Run run, Job job) throws IOException {
    if (run.cpuTime().isPresent() && !run.bestEffort() && job.usage().cpu().total().isEmpty()) {
      throw new HoldfastException(
          "cannot limit cpu-time with " + job.mechanism().text(),
          "only a cgroup counts the CPU time of members that have ended",
          "see holdfast doctor for what a cgroup takes here, or ask for --enforce best-effort",
          null);
    }
  }

  /** A value of {@link System#nanoTime}. */
  long nextLook() {
    return System.nanoTime()
        + Math.max(left / Runtime.getRuntime().availableProcessors(), SHORTEST_LOOK_NANOS);
  }

  boolean isExceeded() throws IOException {
    long used = job.usage().cpu().total().map(Duration::toNanos).orElse(0L);
    left = budgetNanos - used;
    return left <= 0;
  }
}
