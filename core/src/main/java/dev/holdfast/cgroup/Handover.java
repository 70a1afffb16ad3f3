package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** Gives a group's directory, and those of its files that may be given away, to another user. */
final class Handover {
  /** Where the kernel lists the files of v2, since 4.15; those of some controllers among them. */
  private static final Path LIST = Path.of("/sys/kernel/cgroup/delegate");

  /** What the kernel's cgroup-v2 document names ("Model of Delegation"). */
  private static final Set<String> V2 =
      Set.of("cgroup.procs", "cgroup.threads", "cgroup.subtree_control");

  private static final Set<String> V1 = Set.of("tasks", "cgroup.procs");

  private Handover() {}

  static void give(Directory directory, boolean unified, int user, int group) throws IOException {
    Set<String> files = unified ? GroupFile.words(LIST).orElse(V2) : V1;
    for (String file : files) {
      try {
        directory.owner(file, user, group);
      } catch (SystemCallException refused) {
        // Of the list a group has what its controllers have.
        if (refused.errno() != Errno.ENOENT) {
          throw refused;
        }
      }
    }
    // Last: whoever has the directory can make groups in it, and should find all in place.
    directory.owner(user, group);
  }
}
