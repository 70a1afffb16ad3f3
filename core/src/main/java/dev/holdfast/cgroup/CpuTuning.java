package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Optional;

/** What the cpu controllers of v1 and v2 have in the same form: idle groups, burst, and clamps. */
final class CpuTuning {
  private static final String IDLE = "cpu.idle";

  private final Directory group;
  private final String burstFile;
  private final Limits limits;
  private final LimitRows rows;

  CpuTuning(Directory group, String burstFile, Limits limits, LimitRows rows) {
    this.group = group;
    this.burstFile = burstFile;
    this.limits = limits;
    this.rows = rows;
  }

  /** The weight that is to be set after this: an idle group has none, and takes none. */
  Optional<Limits.Request> idleOrWeight() throws IOException {
    Optional<Limits.Request> weight = limits.get(LimitKind.CPU_WEIGHT);
    Optional<Limits.Request> idle = limits.get(LimitKind.CPU_IDLE);
    if (idle.isEmpty()) {
      return weight;
    }
    rows.set(idle.get(), group, IDLE, idle.get().value().toString(), LimitRows::countOrMax);
    if (weight.isPresent() && idle.get().value().equals(LimitValue.count(1))) {
      rows.refused(
          weight.get(),
          "an idle group has no weight, and cpu-idle is asked for too",
          "leave one of the two out",
          null);
      return Optional.empty();
    }
    return weight;
  }

  /** The quota may not be lowered below the burst, so a lower burst comes first. */
  void burstBeforeQuota() throws IOException {
    Optional<Limits.Request> burst = limits.get(LimitKind.CPU_BURST);
    if (burst.isPresent() && burst.get().value() instanceof LimitValue.Count(long wanted)) {
      String present = group.readIfPresent(burstFile); // since Linux 5.14
      if (FlatKeyed.number(present).orElse(0) > wanted) {
        rows.exchange(group, burstFile, Long.toString(wanted));
      }
    }
  }

  void burstAfterQuota() throws IOException {
    Optional<Limits.Request> burst = limits.get(LimitKind.CPU_BURST);
    if (burst.isPresent()) {
      String micros = burst.get().value().toString();
      Directory.Exchange exchange = rows.exchange(group, burstFile, micros);
      if (exchange.errno() == Errno.EINVAL) {
        rows.refused(
            burst.get(),
            group,
            burstFile,
            exchange.errno(),
            "the kernel refuses a burst of " + micros + " us: it may not be above the quota",
            "give less, or more CPUs");
      } else {
        rows.check(
            burst.get(), group, burstFile, burst.get().value(), exchange, LimitRows::countOrMax);
      }
    }
  }

  void clamps() throws IOException {
    clamp(LimitKind.CPU_UCLAMP_MIN, "cpu.uclamp.min");
    clamp(LimitKind.CPU_UCLAMP_MAX, "cpu.uclamp.max");
  }

  private void clamp(LimitKind kind, String file) throws IOException {
    Optional<Limits.Request> clamp = limits.get(kind);
    if (clamp.isPresent()) {
      rows.set(clamp.get(), group, file, clamp.get().value().toString(), CpuTuning::percent);
    }
  }

  /** Percent with two digits, as the kernel shows it; {@code max} for all of them. */
  static LimitValue percent(String text) {
    String stripped = text.strip();
    if (!stripped.matches("[0-9]{1,3}(\\.[0-9]{1,2})?")) {
      return new LimitValue.Text(stripped);
    }
    BigDecimal number = new BigDecimal(stripped).setScale(2, RoundingMode.UNNECESSARY);
    return number.compareTo(BigDecimal.valueOf(100)) == 0
        ? new LimitValue.Text("max")
        : new LimitValue.Text(number.toPlainString());
  }
}
