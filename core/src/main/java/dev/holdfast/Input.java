package dev.holdfast;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Where a command's stdin comes from. Immutable. */
public sealed interface Input {
  /** At its end from the start. */
  record Empty() implements Input {}

  /** Ours. */
  record Inherit() implements Input {}

  /** A pipe that {@link Child#stdin} writes to. */
  record Piped() implements Input {}

  /** These bytes, then the end. Kept in memory; the program may end without reading them. */
  final class Bytes implements Input {
    private final byte[] content;

    private Bytes(byte[] content) {
      this.content = content;
    }

    byte[] content() {
      return content;
    }
  }

  /** A file, from its beginning. */
  record FromFile(Path path) implements Input {}

  static Input empty() {
    return new Empty();
  }

  static Input inherit() {
    return new Inherit();
  }

  static Input pipe() {
    return new Piped();
  }

  static Input bytes(byte[] content) {
    return new Bytes(content.clone());
  }

  /** The text in UTF-8. */
  static Input text(String content) {
    return new Bytes(content.getBytes(StandardCharsets.UTF_8));
  }

  static Input file(Path path) {
    return new FromFile(path);
  }
}
