package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives a group controllers that it did not have when it was made. Few jobs ask for more than the
 * usual ones, and on v1 each hierarchy more costs every start of a child.
 */
final class Growth {
  /** Members may fork while they are moved. */
  private static final int PASSES = 16;

  private static final Path PROC = Path.of("/proc");

  private Growth() {}

  static void grow(Cgroup group, Set<String> names) throws IOException {
    Cgroup parent = group.parent();
    if (parent != null) {
      parent.use(names);
    }
    Map<String, Absence> absences = new HashMap<>();
    if (group.membership().unified()) {
      absences.putAll(enabled(group, parent, names));
    }
    List<Branch> made = new ArrayList<>();
    try {
      for (String name : names) {
        String legacy = KernelControllers.legacyName(name);
        if (!isUsed(group.branches().all(), legacy) && !isUsed(made, legacy)) {
          make(group, parent, legacy, made);
        }
      }
    } catch (IOException | RuntimeException failure) {
      Hierarchies.undo(made);
      throw failure;
    }
    // From here on the group removes them with itself, whatever fails.
    group.grown(made, absences, names);
    for (Branch branch : made) {
      moveMembers(group.membership(), branch);
    }
  }

  private static boolean isUsed(List<Branch> branches, String controller) {
    for (Branch branch : branches) {
      if (branch.holds(controller)) {
        return true;
      }
      if (!branch.unified() && branch.hierarchy().controllers().contains(controller)) {
        branch.use(controller);
        return true;
      }
    }
    return false;
  }

  private static Map<String, Absence> enabled(
      Cgroup group, @Nullable Cgroup parent, Set<String> names) throws IOException {
    if (parent != null) {
      return SubtreeControl.enable(parent.membership().path(), false, false, names);
    }
    for (Place place : group.places()) {
      if (place.hierarchy().unified()) {
        boolean moved = makeRoom(place, names);
        return SubtreeControl.enable(place.base(), place.top(), moved, names);
      }
    }
    return Map.of();
  }

  /**
   * Moves our processes out of the way of controllers that groups below could get: only now, since
   * few ask for those that are not enabled from the beginning. Nobody else's are moved.
   */
  private static boolean makeRoom(Place place, Set<String> names) throws IOException {
    boolean room =
        place.hierarchy().own().filter(place.base()::equals).isPresent()
            && SubtreeControl.isInTheWay(place, names)
            && Strangers.in(place.base(), PROC).isEmpty();
    if (room) {
      Leaf.moveInto(place.base());
    }
    return room;
  }

  /** Makes the group's directory in the v1 hierarchy of {@code controller}, if there is one. */
  private static void make(
      Cgroup group, @Nullable Cgroup parent, String controller, List<Branch> made)
      throws IOException {
    if (parent != null) {
      for (Branch above : parent.branches().all()) {
        if (above.holds(controller)) {
          made.add(above.nest(group.name(), List.of(controller), false));
          return;
        }
      }
      return;
    }
    for (Place place : group.places()) {
      if (!place.hierarchy().unified()
          && place.writable()
          && place.hierarchy().controllers().contains(controller)) {
        made.add(Hierarchies.make(place, group.name(), List.of(controller), false));
        return;
      }
    }
  }

  /** Until a pass over the members finds none that was not moved yet. */
  private static void moveMembers(Branch from, Branch to) throws IOException {
    Directory target = to.directory();
    Set<Long> moved = new HashSet<>();
    for (int pass = 0; pass < PASSES; pass++) {
      boolean found = false;
      for (long pid : Members.of(from.directory()).pids()) {
        if (moved.add(pid)) {
          found = true;
          Joining.move(List.of(to), pid, null);
        }
      }
      if (!found) {
        return;
      }
    }
    throw new HoldfastException(
        "cannot move the members to " + target.path(),
        "after " + PASSES + " passes there still are new ones",
        "limit pids first, or freeze the group",
        null);
  }
}
