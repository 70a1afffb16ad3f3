package dev.holdfast.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What is open in this process, as the kernel tells it. */
public final class OpenFiles {
  private OpenFiles() {}

  /**
   * What each descriptor leads to, that of the listing itself included: a path, or such as {@code
   * socket:[4711]}. One that is closed meanwhile is left out.
   */
  public static List<Path> targets() throws IOException {
    List<Path> targets = new ArrayList<>();
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors.toList()) {
        try {
          targets.add(Files.readSymbolicLink(descriptor));
        } catch (NoSuchFileException closed) {
          // by another thread
        }
      }
    }
    return targets;
  }
}
