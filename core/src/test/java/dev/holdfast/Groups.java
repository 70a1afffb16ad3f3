package dev.holdfast;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The cgroup directories of a job, found by searching the mounted hierarchies for its paths. */
final class Groups {
  private Groups() {}

  static List<Path> directoriesOf(Job job) throws IOException {
    List<Path> found = new ArrayList<>();
    for (String path : job.cgroupPaths().values()) {
      String below = path.substring(path.indexOf("/holdfast-"));
      for (Path mount : mounts()) {
        search(mount, below, found);
      }
    }
    return found.stream().distinct().toList();
  }

  /** Whatever begins like an anchor, in every hierarchy. */
  static List<Path> anchors() throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path mount : mounts()) {
      try (var all = Files.walk(mount)) {
        all.filter(path -> path.getFileName().toString().startsWith("holdfast-"))
            .forEach(found::add);
      } catch (java.io.UncheckedIOException vanished) {
        // somebody's group went while we walked
      }
    }
    return found;
  }

  static List<Long> membersOf(Path directory) throws IOException {
    return Files.readAllLines(directory.resolve("cgroup.procs")).stream()
        .map(Long::valueOf)
        .toList();
  }

  static void removeAll(List<Path> directories) throws IOException {
    for (Path directory : directories) {
      Files.deleteIfExists(directory);
    }
  }

  private static List<Path> mounts() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
        .map(line -> line.split(" ", -1))
        .filter(fields -> fields[2].equals("cgroup") || fields[2].equals("cgroup2"))
        .map(fields -> Path.of(fields[1]))
        .toList();
  }

  private static void search(Path mount, String below, List<Path> found) throws IOException {
    try (var all = Files.walk(mount)) {
      all.filter(path -> path.toString().endsWith(below)).forEach(found::add);
    } catch (java.io.UncheckedIOException vanished) {
      // somebody's group went while we walked
    }
  }
}
