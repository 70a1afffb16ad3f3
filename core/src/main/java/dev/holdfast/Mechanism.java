package dev.holdfast;

import java.util.Locale;
import java.util.Optional;

/** The kernel object that contains a job, best first. */
public enum Mechanism {
  CGROUP_V2,
  /** v2 holds the processes, v1 hierarchies hold the limits. */
  CGROUP_HYBRID,
  CGROUP_V1,
  PID_NAMESPACE("nothing is limited for the job, and nothing but CPU time counted"),
  PROCESS_GROUP(
      "a member that leaves its session and whose parent ends has escaped, unless orphans come to"
          + " us (they come to the command), and after kill -9 of ours in any case; nothing is"
          + " limited or counted for the job"),
  /** On other systems than Linux: only what the JDK tells of processes. */
  PROCESS_TREE(
      "a member whose parent ends before it is seen has escaped, and nobody ends the members if we"
          + " are killed; nothing is limited or counted");

  private final String caveat;

  Mechanism() {
    this("");
  }

  Mechanism(String caveat) {
    this.caveat = caveat;
  }

  /** What cannot be guaranteed with it; empty with a cgroup. */
  public Optional<String> caveat() {
    return caveat.isEmpty() ? Optional.empty() : Optional.of(caveat);
  }

  /** As reports name it, such as {@code cgroup-v2}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Whether limits are enforced and usage is counted for the whole tree. */
  public boolean isCgroup() {
    return compareTo(PID_NAMESPACE) < 0;
  }
}
