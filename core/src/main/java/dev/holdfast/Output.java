package dev.holdfast;

import java.nio.file.Path;

/** Where a command's stdout or stderr goes. Immutable. */
public sealed interface Output {
  /** Ours. */
  record Inherit() implements Output {}

  /** Nowhere. */
  record Discard() implements Output {}

  /** A pipe that {@link Child#stdout} or {@link Child#stderr} reads. */
  record Piped() implements Output {}

  /** A file, emptied or appended to. */
  record ToFile(Path path, boolean append) implements Output {}

  /** Stderr only: where stdout goes. */
  record Merged() implements Output {}

  static Output inherit() {
    return new Inherit();
  }

  static Output discard() {
    return new Discard();
  }

  static Output pipe() {
    return new Piped();
  }

  static Output file(Path path) {
    return new ToFile(path, false);
  }

  static Output append(Path path) {
    return new ToFile(path, true);
  }

  static Output merged() {
    return new Merged();
  }
}
