package dev.holdfast.testing;

import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;

/**
 * Removes groups whose last member is about to be gone. A process that has died has no command line
 * any more, and is in its group for a moment still.
 */
public final class Removal {
  private Removal() {}

  /** Those that are there, in this order. */
  public static void await(Iterable<Path> groups) {
    for (Path group : groups) {
      Awaitility.await("the removal of " + group)
          .atMost(Duration.ofSeconds(60))
          .ignoreException(FileSystemException.class)
          .until(() -> Files.deleteIfExists(group) || !Files.exists(group));
    }
  }
}
