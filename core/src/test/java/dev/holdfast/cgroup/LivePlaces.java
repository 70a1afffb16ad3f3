package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

/** Where the tests of this package make their groups: below our own, in each hierarchy. */
final class LivePlaces {
  private static final Set<String> KNOWN =
      Set.of("memory", "cpu", "cpuacct", "pids", "freezer", "cpuset", "blkio", "devices");
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private LivePlaces() {}

  static List<Place> find() throws IOException {
    List<String> own = Files.readAllLines(Path.of("/proc/self/cgroup"));
    List<Place> places = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      String[] halves = line.split(" - ", 2);
      String[] fields = halves[0].split(" ", -1);
      String[] tail = halves[1].split(" ", -1);
      boolean unified = tail[0].equals("cgroup2");
      if (!unified && !tail[0].equals("cgroup")) {
        continue;
      }
      Path mount = Path.of(fields[4]);
      Set<String> controllers =
          unified
              ? Set.of(Files.readString(mount.resolve("cgroup.controllers")).strip().split(" "))
              : new TreeSet<>(Arrays.stream(tail[2].split(",")).filter(KNOWN::contains).toList());
      if (controllers.isEmpty()) {
        continue;
      }
      Hierarchy hierarchy =
          new Hierarchy(unified, mount, fields[3], controllers, "/", Optional.of(mount));
      Path base = Joining.directory(hierarchy, own);
      if (base == null || !Files.isDirectory(base)) {
        base = mount;
      }
      if (unified) {
        try (Directory directory = Directory.open(base)) {
          SubtreeControl.enable(directory.path(), true, false);
        }
      }
      places.add(new Place(hierarchy, base, base.equals(mount), true));
    }
    return places;
  }

  static Cgroup make() throws IOException {
    return Cgroup.create(
        find(),
        "hf-test-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet(),
        Map.of());
  }

  static boolean isV1(Cgroup group, String controller) {
    return group.paths().containsKey(controller);
  }
}
