package dev.holdfast;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** The cgroup directories of a job, found by searching the mounted hierarchies for its paths. */
final class Groups {
  private Groups() {}

  static List<Path> directoriesOf(Job job) throws IOException {
    List<Path> found = new ArrayList<>();
    for (String path : job.cgroupPaths().values()) {
      String below = path.substring(path.indexOf("/holdfast-"));
      for (Path mount : mounts()) {
        walk(mount, directory -> directory.toString().endsWith(below), found);
      }
    }
    return found.stream().distinct().toList();
  }

  /** Whatever begins like an anchor, in every hierarchy. */
  static List<Path> anchors() throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path mount : mounts()) {
      walk(mount, path -> path.getFileName().toString().startsWith("holdfast-"), found);
    }
    return found;
  }

  /** The anchor of the JVM with this pid, in every hierarchy. */
  static List<Path> anchorsOf(long pid) throws IOException {
    String prefix = "holdfast-" + pid + "-";
    List<Path> found = new ArrayList<>();
    for (Path mount : mounts()) {
      walk(mount, path -> path.getFileName().toString().startsWith(prefix), found);
    }
    return found;
  }

  /** The one of them that tells who is a member: v2's, on pure v1 the freezer's. */
  static Path membership(List<Path> directories) {
    for (String file : List.of("cgroup.events", "freezer.state")) {
      for (Path directory : directories) {
        if (Files.exists(directory.resolve(file))) {
          return directory;
        }
      }
    }
    throw new AssertionError("none tells who is a member: " + directories);
  }

  static List<Long> membersOf(Path directory) throws IOException {
    return Files.readAllLines(directory.resolve("cgroup.procs")).stream()
        .map(Long::valueOf)
        .toList();
  }

  /** For what a failure has left behind. */
  static void removeTree(Path group) throws IOException {
    try (DirectoryStream<Path> below = Files.newDirectoryStream(group, Files::isDirectory)) {
      for (Path next : below) {
        removeTree(next);
      }
    }
    Files.delete(group);
  }

  private static List<Path> mounts() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
        .map(line -> line.split(" ", -1))
        .filter(fields -> fields[2].equals("cgroup") || fields[2].equals("cgroup2"))
        .map(fields -> Path.of(fields[1]))
        .toList();
  }

  private static void walk(Path mount, Predicate<Path> wanted, List<Path> found)
      throws IOException {
    Files.walkFileTree(
        mount,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes unused) {
            if (wanted.test(directory)) {
              found.add(directory);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException vanished) {
            return FileVisitResult.CONTINUE; // somebody's group went while we walked
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException vanished) {
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
