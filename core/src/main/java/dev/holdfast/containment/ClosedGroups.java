package dev.holdfast.containment;

import dev.holdfast.linux.AnyMode;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Groups that members of the same user have closed ({@code chmod 0}): with their modes given back
 * they can be looked at, killed and removed.
 */
final class ClosedGroups {
  /** A file of every group that has no mode by which anybody could write it. */
  private static final String READ_ONLY = "cgroup.controllers";

  /** What is read to end a group. */
  private static final List<String> READ =
      List.of(
          "cgroup.procs",
          "cgroup.threads",
          "cgroup.events",
          "cgroup.freeze",
          "freezer.state",
          "tasks");

  /** What is written. */
  private static final List<String> WRITTEN =
      List.of("cgroup.procs", "cgroup.kill", "cgroup.freeze", "freezer.state", "tasks");

  private ClosedGroups() {}

  /** Those of one anchor, and of its jobs. */
  static void open(List<Path> directories) throws IOException {
    for (Path path : directories) {
      try (Directory directory = AnyMode.open(path)) {
        if (Files.isWritable(path.resolve(READ_ONLY))) {
          return; // the kernel does not ask us for modes, as we are root
        }
        AnyMode.giveBack(directory, READ, WRITTEN);
        for (String job : directory.subdirectories()) {
          try (Directory nested = AnyMode.open(directory, job)) {
            if (nested.mount() == directory.mount()) {
              AnyMode.giveBack(nested, READ, WRITTEN);
            }
          } catch (SystemCallException failure) {
            if (!Errno.isGone(failure.errno())) {
              throw failure;
            }
          }
        }
      }
    }
  }
}
