package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/** The cpu controller of v2; CPU time is counted in every v2 group, even without it. */
final class CpuV2 implements Controller {
  private static final String MAX = "cpu.max";
  private static final String WEIGHT = "cpu.weight";
  private static final String BURST = "cpu.max.burst";

  private final Directory group;
  private final boolean limiting;

  /**
   * Of this group.
   *
   * @param limiting whether it is v2 that limits, and not a v1 controller beside it
   */
  CpuV2(Directory group, boolean limiting) {
    this.group = group;
    this.limiting = limiting;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return limiting && controllers.contains("cpu");
  }

  @Override
  public boolean isPresent() {
    return group.has(WEIGHT);
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    CpuTuning tuning = new CpuTuning(group, BURST, limits, rows);
    Optional<Limits.Request> weight = tuning.idleOrWeight();
    if (weight.isPresent()) {
      LimitValue value = CpuShares.asWeight(weight.get().value());
      rows.set(weight.get(), group, WEIGHT, value, value.toString(), LimitRows::countOrMax);
    }
    tuning.burstBeforeQuota();
    Optional<Limits.Request> cpus = limits.get(LimitKind.CPUS);
    if (cpus.isPresent()) {
      LimitValue value = cpus.get().value();
      CpuQuota quota = CpuQuota.of(value, CpuQuota.keeps(value) ? group.read(MAX) : "");
      if (quota != null) {
        rows.set(cpus.get(), group, MAX, quota.value(), quota.text(), CpuQuota::parse);
      } else {
        rows.set(cpus.get(), group, MAX, "max", CpuQuota::parse);
      }
    }
    tuning.burstAfterQuota();
    tuning.clamps();
    Optional<Limits.Request> realtime = limits.get(LimitKind.CPU_REALTIME);
    if (realtime.isPresent()) {
      rows.refused(
          realtime.get(),
          "v2 has nothing like cpu.rt_runtime_us",
          "leave cpu-realtime out, or boot with cgroup v1",
          null);
    }
  }

  @Override
  public boolean countsCpuTime() {
    return true;
  }

  @Override
  public void usage(Figures figures) throws IOException {
    String stat = figures.read(group, "cpu.stat");
    figures.cpuTotal = Figures.micros(FlatKeyed.value(stat, "usage_usec"));
    figures.cpuUser = Figures.micros(FlatKeyed.value(stat, "user_usec"));
    figures.cpuSystem = Figures.micros(FlatKeyed.value(stat, "system_usec"));
    // These two only with the controller.
    figures.throttled = Figures.micros(FlatKeyed.value(stat, "throttled_usec"));
    figures.throttledPeriods = FlatKeyed.value(stat, "nr_throttled");
  }
}
