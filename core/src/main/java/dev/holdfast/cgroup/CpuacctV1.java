package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;

/** CPU time on v1, nested groups and dead members included. */
final class CpuacctV1 implements Controller {
  /** {@code cpuacct.stat} counts in USER_HZ, which is 100 on every Linux. */
  private static final long TICK_NANOS = 10_000_000;

  private final Directory group;

  CpuacctV1(Directory group) {
    this.group = group;
  }

  @Override
  public boolean countsCpuTime() {
    return true;
  }

  @Override
  public void usage(Figures figures) throws IOException {
    figures.cpuTotal = Figures.nanos(FlatKeyed.number(figures.read(group, "cpuacct.usage")));
    figures.cpuUser = Figures.nanos(FlatKeyed.number(figures.read(group, "cpuacct.usage_user")));
    figures.cpuSystem = Figures.nanos(FlatKeyed.number(figures.read(group, "cpuacct.usage_sys")));
    if (figures.cpuUser.isEmpty() || figures.cpuSystem.isEmpty()) {
      String stat = figures.read(group, "cpuacct.stat");
      figures.cpuUser = Figures.times(FlatKeyed.value(stat, "user"), TICK_NANOS);
      figures.cpuSystem = Figures.times(FlatKeyed.value(stat, "system"), TICK_NANOS);
    }
  }
}
