package dev.holdfast.cgroup;

import java.util.Locale;

/** How hard it is for the kernel to take memory back, as v1 tells it. */
public enum MemoryPressure {
  /** It takes back what is not used much. */
  LOW,
  /** It swaps, or takes the page cache that is in use. */
  MEDIUM,
  /** The kernel is about to run out of memory in the group, and to kill. */
  CRITICAL;

  static final String FILE = "memory.pressure_level";

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
