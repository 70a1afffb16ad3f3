package dev.holdfast.cgroup;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * CPU time and throttling. Where both versions are in use the time is v2's, which every group has,
 * and the throttling the controller's. v2 counts microseconds ({@code throttled_usec}), v1
 * nanoseconds ({@code throttled_time}).
 *
 * @param unified v2
 * @param controller where the cpu controller is
 * @param cpuacct v1's
 */
record CpuStatistics(SnapshotFiles unified, SnapshotFiles controller, SnapshotFiles cpuacct) {
  /** {@code cpuacct.stat} counts in USER_HZ, which is 100 on every Linux. */
  private static final long TICK_NANOS = 10_000_000;

  Statistics.Cpu read() throws IOException {
    String time = unified.text("cpu.stat");
    String stat = controller.equals(unified) ? time : controller.text("cpu.stat");
    Optional<Duration> total = micros(time, "usage_usec");
    Optional<Duration> user = micros(time, "user_usec");
    Optional<Duration> system = micros(time, "system_usec");
    if (total.isEmpty() && user.isEmpty() && system.isEmpty()) {
      total = nanos(cpuacct.text("cpuacct.usage"));
      user = nanos(cpuacct.text("cpuacct.usage_user"));
      system = nanos(cpuacct.text("cpuacct.usage_sys"));
      if (user.isEmpty() || system.isEmpty()) {
        String ticks = cpuacct.text("cpuacct.stat");
        user = Figures.times(FlatKeyed.value(ticks, "user"), TICK_NANOS);
        system = Figures.times(FlatKeyed.value(ticks, "system"), TICK_NANOS);
      }
    }
    return new Statistics.Cpu(
        total,
        user,
        system,
        micros(time, "nice_usec"),
        micros(time, "core_sched.force_idle_usec"),
        FlatKeyed.value(stat, "nr_periods"),
        FlatKeyed.value(stat, "nr_throttled"),
        time(stat, "throttled"),
        time(controller.text("cpu.stat.local"), "throttled"),
        FlatKeyed.value(stat, "nr_bursts"),
        time(stat, "burst"));
  }

  private Optional<Duration> time(@Nullable String stat, String name) {
    return controller.legacy()
        ? Figures.nanos(FlatKeyed.value(stat, name + "_time"))
        : micros(stat, name + "_usec");
  }

  private static Optional<Duration> micros(@Nullable String stat, String name) {
    return Figures.micros(FlatKeyed.value(stat, name));
  }

  private static Optional<Duration> nanos(@Nullable String number) {
    return Figures.nanos(FlatKeyed.number(number));
  }
}
