package dev.holdfast.linux;

import java.time.Duration;

/**
 * Moments until which somebody waits, as values of {@link System#nanoTime}: what is left is {@code
 * deadline - System.nanoTime()}.
 */
public final class Deadline {
  /** For those who wait as long as it takes. */
  public static final long NONE = Long.MAX_VALUE;

  /** 146 years, and half of what nanoTime counts: its differences never overflow. */
  private static final long LONGEST = Long.MAX_VALUE / 2;

  private Deadline() {}

  /** The moment after {@code time} from now. */
  public static long in(Duration time) {
    return after(System.nanoTime(), time);
  }

  /** The moment after {@code time} from {@code begin}. */
  public static long after(long begin, Duration time) {
    return begin + Math.clamp(nanos(time), 0, LONGEST);
  }

  /** All nanoseconds of {@code time}, or as many as a long holds, which is 292 years. */
  public static long nanos(Duration time) {
    try {
      return time.toNanos();
    } catch (ArithmeticException beyond) {
      return time.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
  }
}
