package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How much of each period real-time tasks may run, in kernels that schedule these by groups, on v1
 * alone. A group without any takes no real-time task at all.
 */
final class CpuRealtimeV1 {
  private static final String RUNTIME = "cpu.rt_runtime_us";
  private static final String PERIOD = "cpu.rt_period_us";

  private CpuRealtimeV1() {}

  static void apply(Limits.Request request, Directory group, LimitRows rows) throws IOException {
    if (!(request.value() instanceof LimitValue.Bandwidth(long runtime, long period))) {
      throw new IllegalArgumentException(request.toString());
    }
    if (!group.has(RUNTIME)) {
      rows.refused(
          request,
          "this kernel does not schedule real-time tasks by groups: there is no " + RUNTIME,
          "use a kernel with CONFIG_RT_GROUP_SCHED",
          null);
      return;
    }
    boolean keeps = runtime == LimitValue.Bandwidth.SAME_QUOTA;
    LimitValue kept = keeps ? value(group.read(RUNTIME), Long.toString(period)) : null;
    LimitValue wanted = kept == null ? request.value() : kept;
    int runtimeErrno = 0;
    int errno = rows.exchange(group, PERIOD, Long.toString(period)).errno();
    // Neither may on the way stand beside the former other if that is more than there is.
    if (!keeps) {
      runtimeErrno = rows.exchange(group, RUNTIME, Long.toString(runtime)).errno();
      if (errno != 0 && runtimeErrno == 0) {
        errno = rows.exchange(group, PERIOD, Long.toString(period)).errno();
      }
    }
    String file = runtimeErrno == 0 ? PERIOD : RUNTIME;
    errno = runtimeErrno == 0 ? errno : runtimeErrno;
    if (errno == Errno.EINVAL) {
      rows.refused(
          request,
          group,
          file,
          errno,
          "the kernel refuses it: no group may have more than the one above it has left",
          "give less, or raise " + RUNTIME + " of the group above, which is 0 unless it was set");
    } else if (errno != 0) {
      rows.refused(request, group, file, errno);
    } else {
      String periodNow = group.read(PERIOD);
      rows.readBack(request, group, RUNTIME, wanted, text -> value(text, periodNow));
    }
  }

  private static @Nullable LimitValue value(String runtimeText, String periodText) {
    OptionalLong runtime = FlatKeyed.signed(runtimeText); // -1: as much as there is
    OptionalLong period = FlatKeyed.number(periodText);
    return runtime.isPresent() && period.isPresent()
        ? new LimitValue.Bandwidth(runtime.getAsLong(), period.getAsLong())
        : null;
  }
}
