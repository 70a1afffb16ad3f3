package dev.holdfast.cgroup;

import java.nio.file.Path;
import java.util.Set;

/**
 * Where groups can be made in a hierarchy. Immutable.
 *
 * @param base the directory below which they are made
 * @param top whether that is the real root of the hierarchy, not that of a namespace
 * @param writable whether we may; a place where we may not is not used, and {@link
 *     Delegation#absences} says why for each of its controllers
 * @param controllers those that groups made here can have: on v2 what {@code base} was given by the
 *     groups above it ({@code cgroup.controllers}), on v1 all of the hierarchy
 */
public record Place(
    Hierarchy hierarchy, Path base, boolean top, boolean writable, Set<String> controllers) {
  static final String CONTROLLERS = "cgroup.controllers";

  public Place {
    controllers = Set.copyOf(controllers);
  }

  /** As the base has it now. */
  static Place of(Hierarchy hierarchy, Path base, boolean top, boolean writable) {
    Set<String> controllers =
        hierarchy.unified()
            ? GroupFile.words(base.resolve(CONTROLLERS)).orElse(Set.of())
            : hierarchy.controllers();
    return new Place(hierarchy, base, top, writable, controllers);
  }

  /** This one as a place where we may not. */
  Place unwritable() {
    return new Place(hierarchy, base, top, false, controllers);
  }
}
