package dev.holdfast.cgroup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** Reads small files of a group's directory by path, for looking only. */
final class GroupFile {
  private GroupFile() {}

  /** The content without the blanks around it; empty if it cannot be read. */
  static Optional<String> text(Path file) {
    try {
      return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).strip());
    } catch (IOException unreadable) {
      return Optional.empty();
    }
  }

  /** The words of the content, in their order; empty if it cannot be read. */
  static Optional<Set<String>> words(Path file) {
    return text(file)
        .map(text -> {
          Set<String> words = new LinkedHashSet<>();
          for (String word : text.split("\\s+", -1)) {
            if (!word.isEmpty()) {
              words.add(word);
            }
          }
          return words;
        });
  }
}
