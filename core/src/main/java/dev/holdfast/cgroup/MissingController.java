package dev.holdfast.cgroup;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Why a controller cannot be had where groups of ours are made. */
final class MissingController {
  private MissingController() {}

  /**
   * Empty if it can be had there, as far as that depends on who has the controller: on v2 it has to
   * be passed on by every group above.
   */
  static Optional<Absence> of(String controller, CgroupHost host, List<Place> places) {
    Optional<Hierarchy> holder = host.holding(controller);
    if (holder.isEmpty()) {
      return controller.equals("io") && host.holding("blkio").isPresent()
          ? Optional.empty()
          : host.absence(controller);
    }
    if (holder.get().unified()) {
      for (Place place : places) {
        if (place.hierarchy().unified() && !place.controllers().contains(controller)) {
          Path file = place.base().resolve(Place.CONTROLLERS);
          return Optional.of(
              new Absence(
                  KernelControllers.offersOnly(file, place.controllers()),
                  withheld(place, controller)));
        }
      }
    }
    return Optional.empty();
  }

  /** Which group above has the controller and does not pass it on. */
  private static String withheld(Place place, String controller) {
    for (Path above = place.base().getParent();
        above != null && above.startsWith(place.hierarchy().mount());
        above = above.getParent()) {
      Path file = above.resolve(Place.CONTROLLERS);
      if (GroupFile.words(file).orElse(Set.of()).contains(controller)) {
        return "write +"
            + controller
            + " to "
            + above.resolve("cgroup.subtree_control")
            + " (under systemd: Delegate=yes for its unit)";
      }
    }
    return "have " + controller + " enabled in the groups above";
  }
}
