package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Which hierarchies a group has a directory in, and making it there. */
final class Hierarchies {
  private Hierarchies() {}

  /**
   * Makes the directories, in the order in which a process should join: that with the members
   * first. All or none. v2 is always used; of v1 the hierarchies that hold memory, cpu and pids;
   * cpuacct only where v2 does not count CPU time; freezer only where v2 cannot freeze.
   */
  static List<Branch> make(List<Place> places, String name, boolean sums) throws IOException {
    List<Branch> made = new ArrayList<>();
    try {
      List<String> wanted = new ArrayList<>(List.of("memory", "cpu", "pids"));
      boolean freezes = false;
      boolean unified = false;
      for (Place place : places) {
        if (place.hierarchy().unified() && place.writable() && !unified) {
          Branch branch = make(place, name, List.of(), sums);
          made.add(branch);
          unified = true;
          // The root of the hierarchy does not show the file: only a group does.
          freezes = branch.directory().has(FreezerV2.FILE);
        }
      }
      if (!unified) {
        wanted.add("cpuacct");
      }
      if (!freezes) {
        wanted.add("freezer");
      }
      for (boolean freezer : new boolean[] {true, false}) {
        for (Place place : places) {
          Hierarchy hierarchy = place.hierarchy();
          if (hierarchy.unified()
              || !place.writable()
              || freezer != (!freezes && hierarchy.controllers().contains("freezer"))) {
            continue;
          }
          List<String> used = wanted.stream().filter(hierarchy.controllers()::contains).toList();
          if (!used.isEmpty()) {
            made.add(make(place, name, used, sums));
          }
        }
      }
    } catch (IOException | RuntimeException failure) {
      undo(made);
      throw failure;
    }
    if (made.isEmpty()) {
      throw new HoldfastException(
          "cannot make the group " + name,
          "no hierarchy of control groups is writable",
          "have a cgroup subtree delegated to this user, or run as root",
          null);
    }
    return made;
  }

  /**
   * Opens directories that are there already, in the order of {@link #make}.
   *
   * @throws HoldfastException if one is no group of a hierarchy of {@code host}
   */
  static List<Branch> open(CgroupHost host, List<Path> directories) throws IOException {
    List<Branch> opened = new ArrayList<>();
    try {
      for (Path path : directories) {
        Hierarchy hierarchy = holder(host, path);
        List<String> controllers =
            hierarchy.unified() ? List.of() : List.copyOf(hierarchy.controllers());
        Branch branch = new Branch(hierarchy, Directory.open(path), controllers);
        boolean membership = hierarchy.unified() || controllers.contains("freezer");
        opened.add(membership && !unifiedFirst(opened) ? 0 : opened.size(), branch);
      }
      return opened;
    } catch (IOException | RuntimeException failure) {
      opened.forEach(Branch::close);
      throw failure;
    }
  }

  /** Makes the group {@code name} in each directory of another. All or none. */
  static List<Branch> nest(Branches above, String name) throws IOException {
    List<Branch> made = new ArrayList<>();
    try {
      for (Branch branch : above.all()) {
        made.add(branch.nest(name, branch.controllers(), true));
      }
      return made;
    } catch (IOException | RuntimeException failure) {
      undo(made);
      throw failure;
    }
  }

  private static boolean unifiedFirst(List<Branch> branches) {
    return !branches.isEmpty() && branches.getFirst().unified();
  }

  private static Hierarchy holder(CgroupHost host, Path path) throws HoldfastException {
    Hierarchy nearest = null;
    for (Hierarchy hierarchy : host.hierarchies()) {
      Path mount = hierarchy.mount();
      if (path.startsWith(mount)
          && !path.equals(mount)
          && (nearest == null || mount.startsWith(nearest.mount()))) {
        nearest = hierarchy;
      }
    }
    if (nearest != null) {
      return nearest;
    }
    throw new HoldfastException(
        "cannot open the group " + path,
        "it lies in no hierarchy of control groups that is mounted here",
        "name a directory below " + host.hierarchies().stream().map(Hierarchy::mount).toList(),
        null);
  }

  /** Removes what was made for a group that could not be made everywhere. */
  static void undo(List<Branch> made) {
    for (Branch branch : made.reversed()) {
      branch.close();
      Path above = branch.path().getParent();
      if (above == null) {
        continue;
      }
      try (Directory directory = Directory.open(above)) {
        directory.tryRemove(String.valueOf(branch.path().getFileName()));
      } catch (IOException gone) {
        // Nobody has joined it; what cannot be removed is empty.
      }
    }
  }

  static Branch make(Place place, String name, List<String> controllers, boolean sums)
      throws IOException {
    try (Directory base = Directory.open(place.base())) {
      Branch branch = Branch.make(place.hierarchy(), base, name, controllers, sums);
      // On hybrid hosts /sys/fs/cgroup itself is a tmpfs: a directory made there contains nothing.
      if (!branch.directory().has("cgroup.procs")) {
        boolean gone = !base.has(name);
        undo(List.of(branch));
        if (gone) { // swept, as empty as it was
          throw new SystemCallException("openat", branch.path().toString(), Errno.ENOENT);
        }
        throw new HoldfastException(
            "cannot make the group " + branch.path(),
            "it is a plain directory, not a control group",
            "name a directory in a mounted cgroup filesystem",
            null);
      }
      return branch;
    }
  }
}
