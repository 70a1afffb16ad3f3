package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * {@code linux.resources.cpu}. Times are in microseconds.
 *
 * @param shares against siblings, 2 to 262144; 0 is as good as absent
 * @param quota CPU time in each period; below 1 as much as there is
 * @param burst what may be saved up beyond the quota
 * @param period 0 is as good as absent
 * @param realtimeRuntime CPU time of real-time tasks in each of their periods, on v1 alone; −1 as
 *     much as there is, 0 is as good as absent
 * @param realtimePeriod alone it keeps the runtime; 0 is as good as absent
 * @param cpus a list such as {@code 0-3,7}; empty is as good as absent
 * @param mems memory nodes, likewise
 * @param idle 1 to run only when nobody else wants to
 */
public record OciCpu(
    OptionalLong shares,
    OptionalLong quota,
    OptionalLong burst,
    OptionalLong period,
    OptionalLong realtimeRuntime,
    OptionalLong realtimePeriod,
    Optional<String> cpus,
    Optional<String> mems,
    OptionalInt idle) {
  private static final String PATH = "linux.resources.cpu";
  private static final long USUAL_PERIOD = 100_000;
  private static final long USUAL_REALTIME_PERIOD = 1_000_000;

  static OciCpu read(Node cpu) throws HoldfastException {
    return new OciCpu(
        cpu.get("shares").integer(0L, Long.MAX_VALUE),
        cpu.get("quota").integer(Long.MIN_VALUE, Long.MAX_VALUE),
        cpu.get("burst").integer(0L, Long.MAX_VALUE),
        cpu.get("period").integer(0L, Long.MAX_VALUE),
        cpu.get("realtimeRuntime").integer(-1L, Long.MAX_VALUE),
        cpu.get("realtimePeriod").integer(0L, Long.MAX_VALUE),
        cpu.get("cpus").text(),
        cpu.get("mems").text(),
        cpu.get("idle").integer(0, 1));
  }

  void addTo(List<Setting> settings) {
    if (shares.orElse(0) != 0 && !isIdle()) {
      long number = shares.getAsLong();
      settings.add(
          new Setting(
              PATH + ".shares",
              LimitKind.CPU_WEIGHT,
              number + " shares",
              builder -> builder.cpuShares(number)));
    }
    bandwidth(settings);
    if (burst.isPresent()) {
      settings.add(Setting.of(PATH + ".burst", LimitKind.CPU_BURST, burst.getAsLong() + "us"));
    }
    realtime(settings);
    list(settings, ".cpus", LimitKind.CPUSET_CPUS, cpus);
    list(settings, ".mems", LimitKind.CPUSET_MEMS, mems);
    if (idle.isPresent()) {
      settings.add(Setting.of(PATH + ".idle", LimitKind.CPU_IDLE, isIdle() ? "yes" : "no"));
    }
  }

  private boolean isIdle() {
    return idle.orElse(0) == 1;
  }

  /** What is asked for and has no effect, each with why. */
  void addIgnored(List<String> ignored) {
    if (shares.orElse(0) != 0 && isIdle()) {
      ignored.add(PATH + ".shares: an idle group has no weight");
    }
  }

  private void bandwidth(List<Setting> settings) {
    long micros = period.orElse(0);
    if (quota.isPresent()) {
      long each = micros == 0 ? USUAL_PERIOD : micros;
      long time = quota.getAsLong();
      settings.add(
          new Setting(
              PATH + ".quota",
              LimitKind.CPUS,
              (time > 0 ? Long.toString(time) : "max") + " " + each,
              builder -> builder.cpuQuota(time, each)));
    } else if (micros != 0) {
      settings.add(
          new Setting(PATH + ".period", LimitKind.CPUS, "- " + micros, b -> b.cpuPeriod(micros)));
    }
  }

  private void realtime(List<Setting> settings) {
    long micros = realtimePeriod.orElse(0);
    long runtime = realtimeRuntime.orElse(0);
    if (runtime != 0) {
      long each = micros == 0 ? USUAL_REALTIME_PERIOD : micros;
      settings.add(
          new Setting(
              PATH + ".realtimeRuntime",
              LimitKind.CPU_REALTIME,
              (runtime < 0 ? "max" : runtime) + "/" + each,
              builder -> builder.cpuRealtime(runtime, each)));
    } else if (micros != 0) {
      settings.add(
          new Setting(
              PATH + ".realtimePeriod",
              LimitKind.CPU_REALTIME,
              "- " + micros,
              builder -> builder.cpuRealtimePeriod(micros)));
    }
  }

  private static void list(
      List<Setting> settings, String name, LimitKind kind, Optional<String> list) {
    if (list.isPresent() && !list.get().isBlank()) {
      settings.add(Setting.of(PATH + name, kind, list.get().strip()));
    }
  }
}
