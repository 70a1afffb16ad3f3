package dev.holdfast.cgroup;

import java.util.Map;
import java.util.Set;

/**
 * Which of the kernel's files may be set by name: those that hold a limit or a preference. Others
 * act when they are written, and would undo what a job stands for: {@code 0} to {@code
 * cgroup.procs} moves the writer, that is us, into the group.
 */
final class RawFile {
  /** Of the core's files; a new kernel's next one is more likely to act than to limit. */
  private static final Set<String> CORE =
      Set.of("cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure");

  private static final Map<String, String> ACTIONS =
      Map.of(
          "tasks", "adopt a process instead",
          "freezer.state", "freeze the job instead",
          "notify_on_release", "wait for the job's end instead",
          "release_agent", "wait for the job's end instead",
          // What they do is over when the write returns, so there is nothing that could be held.
          "memory.reclaim", "have the group reclaim instead (Cgroup.reclaim)",
          "memory.force_empty", "limit the memory instead");

  private RawFile() {}

  /** Refuses one that acts, with an {@link IllegalArgumentException}. */
  static void check(String file) {
    String instead = ACTIONS.get(file);
    if (instead == null && file.startsWith("cgroup.") && !CORE.contains(file)) {
      instead = "of cgroup's own files only cgroup.max.depth, .max.descendants and .pressure are";
    }
    if (instead != null) {
      throw new IllegalArgumentException(
          "\"" + file + "\" is not a limit but acts on the group or its members: " + instead);
    }
  }
}
