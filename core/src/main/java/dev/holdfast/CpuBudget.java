package dev.holdfast;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.linux.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A cumulative budget of CPU time. The kernel has no such limit ({@code cpu.max} is a rate) and no
 * event for it, so the usage is looked at. Never later than the budget can be used up by a job that
 * goes on as it did, with twice as much of the CPUs; one that does next to nothing is looked at as
 * seldom as a sudden start of all CPUs allows, {@link #slack} over the budget at most.
 *
 * <p>Not thread-safe.
 */
final class CpuBudget {
  private static final long SHORTEST_PAUSE = 2_000_000;
  private static final long LEAST_SLACK = 10_000_000;
  private static final long MOST_SLACK = 1_000_000_000;
  private static final int SLACK_SHARE = 5;
  private static final String REASON =
      "only a cgroup counts the CPU time of all members that have ended";

  /** CPU time in nanoseconds. */
  interface Meter {
    long read() throws IOException;
  }

  private final Meter meter;
  private final int cpus;
  private final long budget;
  private final long slack;
  private long used;
  private long looked;
  private long pause;

  /** Of so many CPUs, as of {@code now}. */
  CpuBudget(Meter meter, Duration budget, int cpus, long now) {
    this.meter = meter;
    this.cpus = cpus;
    this.budget = Math.min(Deadline.nanos(budget), Long.MAX_VALUE / 2); // added to a moment
    this.slack = Math.clamp(this.budget / SLACK_SHARE, LEAST_SLACK, MOST_SLACK);
    this.looked = now;
    this.pause = Math.max(this.budget / cpus, SHORTEST_PAUSE);
  }

  /**
   * That of {@code run}, if it has one. Where nobody counts the CPU time of the whole tree that is
   * an error, or a limit of the job's that is not enforced.
   */
  static @Nullable CpuBudget of(Run run, Job job) throws IOException {
    Duration budget = run.cpuTime().orElse(null);
    if (budget == null) {
      return null;
    }
    if (job.mechanism().isCgroup() && job.lifetime().cpuTime().isPresent()) {
      return new CpuBudget(
          () -> Deadline.nanos(job.lifetime().cpuTime().orElse(Duration.ZERO)),
          budget,
          Runtime.getRuntime().availableProcessors(),
          System.nanoTime());
    }
    if (!run.bestEffort()) {
      throw new HoldfastException(
          "cannot limit cpu-time with " + job.mechanism().text(),
          REASON,
          "see holdfast doctor for what a cgroup takes here, or ask for --enforce best-effort",
          null);
    }
    job.remember(List.of(AppliedLimit.unenforced(LimitKind.CPU_TIME, text(budget), REASON)));
    return null;
  }

  /** A value of {@link System#nanoTime}. */
  long nextLook() {
    return looked + pause;
  }

  boolean isExceeded() throws IOException {
    return isExceeded(meter.read(), System.nanoTime());
  }

  /** Whether a job that has used so much by {@code now} is over its budget. */
  boolean isExceeded(long total, long now) {
    long left = budget - total;
    // In CPUs: 1.0 is one that was busy all the time.
    double rate = (double) (total - used) / Math.max(now - looked, 1);
    long earliest = left / cpus;
    long latest = Math.max(earliest, slack / cpus);
    pause = Math.max(Math.clamp((long) (left / (2 * rate)), earliest, latest), SHORTEST_PAUSE);
    used = total;
    looked = now;
    return left <= 0;
  }

  /** As the option has it. */
  private static String text(Duration time) {
    long nanos = Deadline.nanos(time);
    return nanos % 1_000_000_000 == 0
        ? nanos / 1_000_000_000 + "s"
        : java.math.BigDecimal.valueOf(nanos, 6).stripTrailingZeros().toPlainString() + "ms";
  }
}
