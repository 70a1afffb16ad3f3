package dev.holdfast.cgroup;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The directories of one group, the first of which is where its members are read: v2, else the v1
 * freezer, else the first of v1.
 *
 * @param all in the order in which a process should join
 */
record Branches(List<Branch> all) {
  Branches {
    all = List.copyOf(all);
  }

  Branch membership() {
    return all.getFirst();
  }

  Branches and(List<Branch> more) {
    List<Branch> both = new ArrayList<>(all);
    both.addAll(more);
    return new Branches(both);
  }

  /** What a group with these directories is: a hybrid host may give us those of v2 alone. */
  CgroupVersion version() {
    boolean unified = all.stream().anyMatch(Branch::unified);
    boolean legacy = all.stream().anyMatch(branch -> !branch.unified());
    return !unified ? CgroupVersion.V1 : legacy ? CgroupVersion.HYBRID : CgroupVersion.V2;
  }

  /** The same as reports name it, such as {@code cgroup-v2}. */
  String mechanism() {
    return "cgroup-" + version().text();
  }

  /** As the kernel names them, by {@code unified} for v2 and by controller for v1. */
  Map<String, String> kernelPaths() {
    Map<String, String> paths = new LinkedHashMap<>();
    for (Branch branch : all) {
      if (branch.unified()) {
        paths.put("unified", branch.kernelPath());
      }
      for (String controller : branch.controllers()) {
        paths.put(controller, branch.kernelPath());
      }
    }
    return paths;
  }

  /** That in the hierarchy of this name, or in the one that has this controller. */
  Optional<Path> directory(String hierarchyOrController) {
    Branch used = v1With(hierarchyOrController);
    if (used != null) {
      return Optional.of(used.path());
    }
    for (Branch branch : all) {
      Hierarchy hierarchy = branch.hierarchy();
      if (hierarchy.name().equals(hierarchyOrController)
          || hierarchy.controllers().contains(hierarchyOrController)) {
        return Optional.of(branch.path());
      }
    }
    return Optional.empty();
  }

  /** The v1 one that is used for this controller. */
  @Nullable Branch v1With(String controller) {
    for (Branch branch : all) {
      if (!branch.unified() && branch.holds(controller)) {
        return branch;
      }
    }
    return null;
  }

  /** Whether this controller, as v2 names it, is there to be used. */
  boolean have(String controller) {
    if (v1With(controller.equals("io") ? "blkio" : controller) != null) {
      return true;
    }
    Branch first = membership();
    return first.unified()
        && GroupFile.words(first.path().resolve("cgroup.controllers"))
            .map(words -> words.contains(controller))
            .orElse(false);
  }

  @Nullable Branch with(Hierarchy hierarchy) {
    for (Branch branch : all) {
      if (branch.hierarchy().equals(hierarchy)) {
        return branch;
      }
    }
    return null;
  }
}
