package dev.holdfast.bench;

import dev.holdfast.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The directories of a job, one for each hierarchy: what the peers that do the same by hand have to
 * do it with.
 */
final class Groups {
  /** What a job of {@link Limited} has written, in the order of writing; read back afterwards. */
  private static final List<String> LIMIT_FILES =
      List.of(
          "pids.max",
          "cpu.cfs_period_us",
          "cpu.cfs_quota_us",
          "cpu.max",
          "memory.oom.group",
          "memory.swap.max",
          "memory.limit_in_bytes",
          "memory.memsw.limit_in_bytes",
          "memory.max");

  /** What {@link Job#usage} reads. */
  private static final List<String> USAGE_FILES =
      List.of(
          "cpu.stat",
          "io.stat",
          "cpu.pressure",
          "memory.pressure",
          "io.pressure",
          "memory.usage_in_bytes",
          "memory.max_usage_in_bytes",
          "memory.oom_control",
          "memory.failcnt",
          "memory.memsw.failcnt",
          "memory.limit_in_bytes",
          "memory.memsw.limit_in_bytes",
          "memory.memsw.max_usage_in_bytes",
          "memory.current",
          "memory.peak",
          "memory.events",
          "memory.swap.events",
          "cpuacct.usage",
          "cpuacct.usage_user",
          "cpuacct.usage_sys",
          "pids.current",
          "pids.peak",
          "pids.events");

  /**
   * What {@link Job#statistics} reads, huge pages left out: a group has those that ask for them.
   */
  private static final List<String> STATISTICS_FILES =
      List.of(
          "cgroup.stat",
          "cpu.stat",
          "cpu.stat.local",
          "cpuacct.usage",
          "cpuacct.usage_user",
          "cpuacct.usage_sys",
          "memory.stat",
          "memory.numa_stat",
          "memory.current",
          "memory.peak",
          "memory.zswap.current",
          "memory.events",
          "memory.events.local",
          "memory.swap.current",
          "memory.swap.peak",
          "memory.swap.events",
          "memory.usage_in_bytes",
          "memory.max_usage_in_bytes",
          "memory.failcnt",
          "memory.oom_control",
          "memory.memsw.usage_in_bytes",
          "memory.memsw.max_usage_in_bytes",
          "io.stat",
          "pids.current",
          "pids.peak",
          "pids.events",
          "pids.events.local",
          "cpu.pressure",
          "memory.pressure",
          "io.pressure",
          "irq.pressure");

  private final Map<Path, Boolean> unifiedByDirectory = new LinkedHashMap<>();

  private Groups() {}

  static Groups of(Job job) throws IOException {
    return of(job.cgroupPaths());
  }

  /** The directories of a group by the kernel's paths. */
  static Groups of(Map<String, String> paths) throws IOException {
    Groups groups = new Groups();
    for (Map.Entry<String, String> entry : paths.entrySet()) {
      boolean unified = entry.getKey().equals("unified");
      Path directory =
          directory(entry.getKey(), entry.getValue())
              .orElseThrow(() -> new IOException("no mount of " + entry.getKey()));
      groups.unifiedByDirectory.put(directory, unified);
    }
    return groups;
  }

  List<Path> directories() {
    return List.copyOf(unifiedByDirectory.keySet());
  }

  /** The files that a usage snapshot is made of. */
  List<Path> usageFiles() {
    return files(USAGE_FILES);
  }

  /** The files that a snapshot of all statistics is made of. */
  List<Path> statisticsFiles() {
    return files(STATISTICS_FILES);
  }

  /**
   * Tells the peer to make its groups beside those of Holdfast's anchor, and to limit and read them
   * in the same way.
   */
  void teach(Peer peer, boolean limited) throws IOException {
    int index = 0;
    for (Map.Entry<Path, Boolean> entry : unifiedByDirectory.entrySet()) {
      Path directory = entry.getKey();
      Path anchor = Objects.requireNonNull(directory.getParent());
      Path parent = anchor.resolveSibling("bench-" + ProcessHandle.current().pid());
      peer.tell("group " + (entry.getValue() ? "v2 " : "v1 ") + parent);
      if (entry.getValue()) {
        String enabled = Files.readString(anchor.resolve("cgroup.subtree_control")).strip();
        for (String controller : enabled.isEmpty() ? new String[0] : enabled.split(" ", -1)) {
          Files.writeString(parent.resolve("cgroup.subtree_control"), "+" + controller);
        }
      }
      if (limited) {
        for (Path file : files(LIMIT_FILES)) {
          if (file.startsWith(directory)) {
            peer.tell(
                "limit " + index + " " + file.getFileName() + " " + Files.readString(file).strip());
          }
        }
        for (Path file : usageFiles()) {
          if (file.startsWith(directory)) {
            peer.tell("read " + index + " " + file.getFileName());
          }
        }
      }
      index++;
    }
  }

  private List<Path> files(List<String> names) {
    List<Path> files = new ArrayList<>();
    Set<String> both = Set.of("cpu.stat");
    for (String name : names) {
      for (Path directory : directories()) {
        Path file = directory.resolve(name);
        // cpu.stat is there in both worlds, and both are read.
        boolean twice = files.stream().anyMatch(f -> f.endsWith(name)) && !both.contains(name);
        if (Files.exists(file) && !twice && isReadable(file)) {
          files.add(file);
        }
      }
    }
    return files;
  }

  private static boolean isReadable(Path file) {
    try {
      Files.readString(file);
      return true;
    } catch (IOException unsupported) { // pressure files are there, and say EOPNOTSUPP without PSI
      return false;
    }
  }

  /** {@code 30 23 0:26 /root /mount/point rw shared:9 - cgroup cgroup rw,memory}. */
  private static Optional<Path> directory(String controller, String path) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      String[] fields = line.split(" ", -1);
      int dash = Arrays.asList(fields).indexOf("-");
      boolean matches =
          controller.equals("unified")
              ? fields[dash + 1].equals("cgroup2")
              : fields[dash + 1].equals("cgroup")
                  && Arrays.asList(fields[dash + 3].split(",", -1)).contains(controller);
      if (matches) {
        String root = fields[3].equals("/") ? "" : fields[3];
        return Optional.of(Path.of(fields[4] + path.substring(root.length())));
      }
    }
    return Optional.empty();
  }
}
