package dev.holdfast.cgroup;

/** {@code pids.max} and what it counts; the same files on v1 and v2. */
final class Pids {
  private Pids() {}

  /**
   * Whether {@code pids.events} counts this group alone: always on v1, on v2 before Linux 6.11,
   * which brought {@code pids.events.local}.
   */
  static boolean countsAlone(Branch branch) {
    return !branch.unified()
        || (branch.directory().has("pids.events") && !branch.directory().has("pids.events.local"));
  }
}
