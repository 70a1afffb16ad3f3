package dev.holdfast.cgroup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder that poses as a machine: its {@code /proc}, and its {@code /sys} under the folder. */
final class Machine {
  private final Path folder;

  Machine(Path folder) throws IOException {
    this.folder = folder.toRealPath();
    Files.createDirectories(proc().resolve("4711"));
    Files.createSymbolicLink(proc().resolve("self"), Path.of("4711"));
    process(4711, 4000);
    process(4000, 1);
    process(1, 0);
  }

  Path proc() {
    return folder.resolve("proc");
  }

  /** A path of the machine, such as {@code /sys/fs/cgroup}. */
  Path at(String path) {
    return folder.resolve(path.substring(1));
  }

  /** Mount lines; mount points (the fifth field) are paths of the machine. */
  Machine mounts(String lines) throws IOException {
    StringBuilder text = new StringBuilder();
    for (String line : lines.lines().toList()) {
      String[] fields = line.split(" ", -1);
      String point = fields[4].equals("/") ? "" : fields[4];
      fields[4] = folder.toString().replace("\\", "\\134").replace(" ", "\\040") + point;
      text.append(String.join(" ", fields)).append('\n');
    }
    return procFile("self/mountinfo", text.toString());
  }

  Machine groups(String lines) throws IOException {
    return procFile("self/cgroup", lines);
  }

  Machine procFile(String name, String content) throws IOException {
    Files.write(proc().resolve(name), content.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  Machine file(String path, String content) throws IOException {
    Files.createDirectories(at(path).getParent());
    Files.writeString(at(path), content);
    return this;
  }

  /** A group of v2 that is not the real root: with a type, and processes in it. */
  Machine group2(String directory, String controllers, String processes) throws IOException {
    root2(directory, controllers);
    file(directory + "/cgroup.type", "domain\n");
    return file(directory + "/cgroup.procs", processes);
  }

  /** The real root of v2. */
  Machine root2(String directory, String controllers) throws IOException {
    file(directory + "/cgroup.procs", "1\n");
    file(directory + "/cgroup.controllers", controllers + "\n");
    return file(directory + "/cgroup.subtree_control", "");
  }

  /** A group of v1. */
  Machine group1(String directory) throws IOException {
    file(directory + "/tasks", "");
    return file(directory + "/cgroup.procs", "");
  }

  /** The real root of a v1 hierarchy. */
  Machine root1(String directory) throws IOException {
    group1(directory);
    return file(directory + "/release_agent", "");
  }

  Machine process(int pid, int parent) throws IOException {
    Files.createDirectories(proc().resolve(Integer.toString(pid)));
    return procFile(
        pid + "/stat",
        pid
            + " (some (thing) S) S "
            + parent
            + " 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 99 1 1\n");
  }

  CgroupHost host() throws IOException {
    return CgroupHost.read(proc());
  }
}
