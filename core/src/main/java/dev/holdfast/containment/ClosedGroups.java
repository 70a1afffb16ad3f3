package dev.holdfast.containment;

import dev.holdfast.linux.AnyMode;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Groups that members of the same user have closed ({@code chmod 0}): with their modes given back
 * they can be looked at, killed and removed.
 */
final class ClosedGroups {
  private ClosedGroups() {}

  /** Those of one anchor, and of its jobs. */
  static void open(List<Path> directories) throws IOException {
    for (Path path : directories) {
      try (Directory directory = AnyMode.open(path)) {
        AnyMode.giveBack(directory);
        for (String job : directory.subdirectories()) {
          try (Directory nested = AnyMode.open(directory, job)) {
            if (nested.mount() == directory.mount()) {
              AnyMode.giveBack(nested);
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
