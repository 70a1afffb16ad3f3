package dev.holdfast.cgroup;

import dev.holdfast.linux.ProcessTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Processes that are neither we nor our descendants: those are not ours to move, and a group that
 * holds one is not ours to change.
 */
final class Strangers {
  private Strangers() {}

  /** Why the processes of a group are not ours to move; empty if all of them are. */
  static Optional<String> in(Path group, Path proc) {
    try {
      return find(group, proc)
          .map(pid ->
              group
                  + " holds processes that we did not start, such as "
                  + (pid == 0 ? "one outside of our pid namespace" : "pid " + pid));
    } catch (IOException | NumberFormatException unreadable) {
      return Optional.of("cannot read " + group.resolve("cgroup.procs") + ": " + unreadable);
    }
  }

  private static Optional<Integer> find(Path group, Path proc) throws IOException {
    ProcessTable table = new ProcessTable(proc);
    Set<Integer> ours = new HashSet<>(Set.of(self(proc)));
    for (String line : Files.readAllLines(group.resolve("cgroup.procs"))) {
      int pid = Integer.parseInt(line);
      Set<Integer> way = new HashSet<>();
      int at = pid;
      while (!ours.contains(at)) {
        ProcessTable.Entry entry = way.add(at) && at > 0 ? table.entry(at) : null;
        if (entry == null) {
          if (at == pid && pid > 0) {
            // It has ended meanwhile.
            break;
          }
          return Optional.of(pid);
        }
        at = entry.parent();
      }
      if (ours.contains(at)) {
        ours.addAll(way);
      }
    }
    return Optional.empty();
  }

  private static int self(Path proc) {
    try {
      // The pid as this proc filesystem counts.
      return Integer.parseInt(Files.readSymbolicLink(proc.resolve("self")).toString());
    } catch (IOException | RuntimeException noLink) {
      return (int) ProcessHandle.current().pid();
    }
  }
}
