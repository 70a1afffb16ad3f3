package dev.holdfast.cgroup;

import java.util.Locale;

/** What tasks can be stalled for want of. */
public enum PressureKind {
  CPU,
  MEMORY,
  IO,
  /** Interrupts, which only have full pressure; kernels with interrupt time accounting. */
  IRQ;

  String file() {
    return name().toLowerCase(Locale.ROOT) + ".pressure";
  }
}
