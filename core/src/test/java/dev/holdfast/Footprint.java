package dev.holdfast;

import dev.holdfast.linux.ProcessTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What this process takes up, as the kernel counts it. */
final class Footprint {
  private static final int SELF = (int) ProcessHandle.current().pid();

  private Footprint() {}

  /** All that the kernel knows of, those of the JVM itself included. */
  static Collection<String> threads() throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      for (Path task : tasks.toList()) {
        found.add(task.getFileName() + " " + Files.readString(task.resolve("comm")).strip());
      }
    }
    return found;
  }

  /** Without the one that lists them. */
  static Collection<String> descriptors() throws IOException {
    Set<String> found = new TreeSet<>();
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      for (Path one : all.toList()) {
        String target = Files.readSymbolicLink(one).toString();
        if (!target.endsWith("/fd")) {
          found.add(one.getFileName() + " " + target);
        }
      }
    }
    return found;
  }

  static List<String> zombies() throws IOException {
    return ProcessTable.system().entries().stream()
        .filter(entry -> entry.parent() == SELF && !entry.isAlive())
        .map(String::valueOf)
        .toList();
  }

  /** How many descriptors our children have, the keepers, in all. */
  static long descriptorsOfChildren() throws IOException {
    long count = 0;
    for (ProcessTable.Entry child : ProcessTable.system().entries()) {
      if (child.parent() == SELF && child.isAlive()) {
        try (Stream<Path> all = Files.list(Path.of("/proc/" + child.pid() + "/fd"))) {
          count += all.count();
        }
      }
    }
    return count;
  }

  /** Our own groups, in every hierarchy, and those in them. */
  static List<String> directories() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path anchor : Groups.anchors()) {
      if (anchor.getFileName().toString().startsWith("holdfast-" + SELF + "-")) {
        try (Stream<Path> all = Files.walk(anchor)) {
          all.filter(Files::isDirectory).map(Path::toString).forEach(found::add);
        }
      }
    }
    return found;
  }

  /** Pages that no file backs, in KiB: the heap of Java, and whatever native code has taken. */
  static long anonymousKib() throws IOException {
    // proc_pid_status(5): RssAnon:<tab>     1234 kB
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("RssAnon:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new AssertionError("no RssAnon, which Linux 4.5 brought");
  }
}
