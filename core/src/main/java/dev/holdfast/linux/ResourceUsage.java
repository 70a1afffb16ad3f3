package dev.holdfast.linux;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The parts of {@code struct rusage} that Linux fills in and that we use.
 *
 * @param userMicros CPU time in user mode, microseconds
 * @param systemMicros CPU time in the kernel, microseconds
 * @param maxResidentBytes the largest resident set of any one process among them, bytes
 */
public record ResourceUsage(long userMicros, long systemMicros, long maxResidentBytes) {
  /** 2 timevals and 14 longs. */
  static final long SIZE = 144;

  static ResourceUsage read(MemorySegment usage) {
    return new ResourceUsage(
        usage.get(ValueLayout.JAVA_LONG, 0) * 1_000_000 + usage.get(ValueLayout.JAVA_LONG, 8),
        usage.get(ValueLayout.JAVA_LONG, 16) * 1_000_000 + usage.get(ValueLayout.JAVA_LONG, 24),
        usage.get(ValueLayout.JAVA_LONG, 32) * 1024);
  }
}
