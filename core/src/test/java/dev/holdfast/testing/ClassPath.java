package dev.holdfast.testing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** That of the tests. */
public final class ClassPath {
  private ClassPath() {}

  public static String own() {
    return System.getProperty("java.class.path");
  }

  /** A copy in {@code folder}, since a user's build may lie where others cannot go. */
  public static String readableToAll(Path folder) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> copies = new ArrayList<>();
    for (String part : own().split(File.pathSeparator, -1)) {
      Path from = Path.of(part);
      if (part.isEmpty() || !Files.exists(from)) {
        continue;
      }
      Path to = folder.resolve("part-" + copies.size());
      try (Stream<Path> all = Files.walk(from)) {
        all.forEach(each -> copy(each, to.resolve(from.relativize(each).toString())));
      }
      copies.add(to.toString());
    }
    return String.join(File.pathSeparator, copies);
  }

  private static void copy(Path from, Path to) {
    try {
      Files.copy(from, to);
      Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
