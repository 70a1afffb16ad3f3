package dev.holdfast.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The resource limits of this process, which its keepers and their children inherit. */
final class OwnLimits {
  private final StartRequest.ResourceLimit limit;

  private OwnLimits(StartRequest.ResourceLimit limit) {
    this.limit = limit;
  }

  /** That of {@code resource}, by its number. */
  static OwnLimits of(int resource) throws SystemCallException {
    // struct rlimit64: u64 rlim_cur, u64 rlim_max; all ones are infinity.
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(16, 8);
      Kernel.get().check(SystemCall.PRLIMIT64, null, 0, resource, 0, found.address());
      return new OwnLimits(
          new StartRequest.ResourceLimit(
              resource, found.get(ValueLayout.JAVA_LONG, 0), found.get(ValueLayout.JAVA_LONG, 8)));
    }
  }

  /** Both limits at {@code value}, or where they are if that is less. */
  StartRequest.ResourceLimit tightened(long value) {
    return new StartRequest.ResourceLimit(
        limit.resource(), least(limit.soft(), value), least(limit.hard(), value));
  }

  private static long least(long one, long other) {
    return Long.compareUnsigned(one, other) < 0 ? one : other;
  }
}
