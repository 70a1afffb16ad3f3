package dev.holdfast;

import java.util.Locale;

/** The kernel object that contains a job, best first. */
public enum Mechanism {
  CGROUP_V2,
  /** v2 holds the processes, v1 hierarchies hold the limits. */
  CGROUP_HYBRID,
  CGROUP_V1,
  PID_NAMESPACE,
  PROCESS_GROUP,
  PROCESS_TREE;

  /** As reports name it, such as {@code cgroup-v2}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Whether limits are enforced and usage is counted for the whole tree. */
  public boolean isCgroup() {
    return compareTo(PID_NAMESPACE) < 0;
  }
}
