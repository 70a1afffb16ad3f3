package dev.holdfast.cgroup;

import java.util.Locale;

/** How the machine has its control groups. */
public enum CgroupVersion {
  /** One unified hierarchy with every controller. */
  V2,
  /** A unified hierarchy for the processes, v1 hierarchies for (some) controllers. */
  HYBRID,
  /** v1 hierarchies only. */
  V1,
  NONE;

  /** As reports name it, such as {@code v2}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
