package dev.holdfast.cgroup;

import java.util.Locale;

/** What can be limited, named as the command's options are. */
public enum LimitKind {
  MEMORY,
  MEMORY_HIGH,
  MEMORY_LOW,
  MEMORY_MIN,
  SWAP,
  CPUS,
  CPU_WEIGHT,
  PIDS;

  /** The option without its dashes, such as {@code memory-high}. */
  public String optionName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
