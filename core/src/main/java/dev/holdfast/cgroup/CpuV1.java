package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The cpu controller of v1: bandwidth and shares. CPU time is {@link CpuacctV1}'s. */
final class CpuV1 implements Controller {
  private static final String QUOTA = "cpu.cfs_quota_us";
  private static final String PERIOD = "cpu.cfs_period_us";
  private static final String SHARES = "cpu.shares";
  private static final String BURST = "cpu.cfs_burst_us";
  private static final long USUAL_SHARES = 1024;
  private static final long USUAL_WEIGHT = 100;
  private static final long LEAST_SHARES = 2;

  private final Directory group;

  CpuV1(Directory group) {
    this.group = group;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("cpu");
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    CpuTuning tuning = new CpuTuning(group, BURST, limits, rows);
    Optional<Limits.Request> weight = tuning.idleOrWeight();
    if (weight.isPresent() && weight.get().value() instanceof LimitValue.Count(long count)) {
      rows.set(weight.get(), group, SHARES, Long.toString(shares(count)), CpuV1::weight);
    } else if (weight.isPresent()
        && weight.get().value() instanceof LimitValue.Shares(long shares)) {
      LimitValue wanted = LimitValue.count(CpuShares.bounded(shares));
      rows.set(weight.get(), group, SHARES, wanted, wanted.toString(), LimitRows::countOrMax);
    }
    tuning.burstBeforeQuota();
    Optional<Limits.Request> cpus = limits.get(LimitKind.CPUS);
    if (cpus.isPresent()) {
      LimitValue value = cpus.get().value();
      CpuQuota wanted = CpuQuota.of(value, CpuQuota.keeps(value) ? group.read(QUOTA) : "");
      if (wanted != null) {
        bandwidth(cpus.get(), wanted, rows);
      } else {
        rows.set(cpus.get(), group, QUOTA, "-1", text -> CpuQuota.value(text, "1"));
      }
    }
    tuning.burstAfterQuota();
    tuning.clamps();
    Optional<Limits.Request> realtime = limits.get(LimitKind.CPU_REALTIME);
    if (realtime.isPresent()) {
      CpuRealtimeV1.apply(realtime.get(), group, rows);
    }
  }

  private void bandwidth(Limits.Request request, CpuQuota wanted, LimitRows rows)
      throws IOException {
    String quota = Long.toString(wanted.quota());
    String period = Long.toString(wanted.period());
    Directory.Exchange periodNow = rows.exchange(group, PERIOD, period);
    Directory.Exchange quotaNow = rows.exchange(group, QUOTA, quota);
    if (periodNow.errno() == Errno.EINVAL && quotaNow.errno() == 0) {
      // The old quota in the new period was more than the group above allows.
      periodNow = rows.exchange(group, PERIOD, period);
    }
    String file = periodNow.errno() == 0 ? QUOTA : PERIOD;
    int errno = periodNow.errno() == 0 ? quotaNow.errno() : periodNow.errno();
    if (errno == Errno.EINVAL) {
      rows.refused(
          request,
          group,
          file,
          errno,
          "the kernel refuses "
              + wanted.value()
              + " CPUs: v1 lets no group have more than the one above it, nor less than those in"
              + " it, or than its burst",
          "give a number between these");
    } else if (errno != 0) {
      rows.refused(request, group, file, errno);
    } else {
      String inPeriod = periodNow.text();
      rows.check(
          request, group, QUOTA, wanted.value(), quotaNow, text -> CpuQuota.value(text, inPeriod));
    }
  }

  /** The usual weight of 100 is the usual 1024 shares. */
  static long shares(long weight) {
    return Math.max(LEAST_SHARES, weight * USUAL_SHARES / USUAL_WEIGHT);
  }

  static @Nullable LimitValue weight(String shares) {
    OptionalLong number = FlatKeyed.number(shares);
    return number.isPresent()
        ? LimitValue.count(Math.round((double) number.getAsLong() * USUAL_WEIGHT / USUAL_SHARES))
        : null;
  }

  @Override
  public void usage(Figures figures) throws IOException {
    String stat = figures.read(group, "cpu.stat");
    figures.throttled = Figures.nanos(FlatKeyed.value(stat, "throttled_time"));
    figures.throttledPeriods = FlatKeyed.value(stat, "nr_throttled");
  }
}
