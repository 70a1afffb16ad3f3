package dev.holdfast;

import dev.holdfast.linux.RawText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The working directory of this process, byte for byte. What Java knows of it was decoded with the
 * locale's charset, and in the POSIX locale that loses whatever is not ASCII.
 */
final class OwnDirectory {
  private static final Path SOURCE = Path.of("/proc/self/cwd");

  private OwnDirectory() {}

  /** Whether Java knows it as it is. */
  static boolean isKnown() {
    return RawText.isPlain(Path.of("").toAbsolutePath().toString());
  }

  static Path path() {
    try {
      return isKnown() ? Path.of("").toAbsolutePath() : Files.readSymbolicLink(SOURCE);
    } catch (IOException notMounted) {
      return Path.of("").toAbsolutePath();
    }
  }

  /** {@code path}, seen from here. */
  static Path resolve(Path path) {
    return path.isAbsolute() ? path : path().resolve(path);
  }
}
