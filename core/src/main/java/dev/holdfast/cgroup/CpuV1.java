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
    Optional<Limits.Request> weight = limits.get(LimitKind.CPU_WEIGHT);
    if (weight.isPresent() && weight.get().value() instanceof LimitValue.Count(long count)) {
      rows.set(weight.get(), group, SHARES, Long.toString(shares(count)), CpuV1::weight);
    } else if (weight.isPresent()
        && weight.get().value() instanceof LimitValue.Shares(long shares)) {
      LimitValue wanted = LimitValue.count(CpuShares.bounded(shares));
      rows.set(weight.get(), group, SHARES, wanted, wanted.toString(), LimitRows::countOrMax);
    }
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
  }

  private void bandwidth(Limits.Request request, CpuQuota wanted, LimitRows rows)
      throws IOException {
    String quota = Long.toString(wanted.quota());
    String period = Long.toString(wanted.period());
    int errno = group.tryWrite(PERIOD, period);
    if (errno == 0) {
      errno = group.tryWrite(QUOTA, quota);
    } else if (errno == Errno.EINVAL) {
      // The old quota in the new period may be more than the group above allows.
      errno = group.tryWrite(QUOTA, quota);
      errno = errno == 0 ? group.tryWrite(PERIOD, period) : errno;
    }
    if (errno == Errno.EINVAL) {
      rows.refused(
          request,
          "the kernel refuses "
              + wanted.value()
              + " CPUs: v1 lets no group have more than the one above it, nor less than those in"
              + " it",
          "give a number between theirs",
          null);
    } else if (errno != 0) {
      rows.refused(request, group, QUOTA, errno);
    } else {
      String periodNow = group.read(PERIOD);
      rows.readBack(request, group, QUOTA, wanted.value(), text -> CpuQuota.value(text, periodNow));
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
