package dev.holdfast;

import dev.holdfast.testing.Place;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The small program that is a member of any kind, or a bomb: {@code native/test/member.c}. */
final class Members {
  private Members() {}

  /**
   * One process for each letter of {@code kinds}. Each writes a byte to stdout when it has settled.
   *
   * @param groups directories that they may make groups of their own in
   */
  static Command of(String kinds, List<Path> groups) {
    return command(List.of(kinds), groups);
  }

  /** Forks without end, in the way that {@code kind} says. */
  static Command bomb(String kind, List<Path> groups) {
    return command(List.of("bomb", kind), groups).oomScoreAdj(Place.isGuest() ? 1000 : 500);
  }

  /** Traces a process, and lets nobody know of its end before stdin is closed. */
  static Command tracer(long pid) {
    return command(List.of("trace", Long.toString(pid)), List.of());
  }

  private static Command command(List<String> first, List<Path> groups) {
    List<String> words = new ArrayList<>(List.of(program()));
    words.addAll(first);
    groups.forEach(group -> words.add(group.toString()));
    return Command.of(words);
  }

  private static String program() {
    try {
      return Path.of(Objects.requireNonNull(Members.class.getResource("member")).toURI())
          .toString();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
