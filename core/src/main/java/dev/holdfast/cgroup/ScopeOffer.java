package dev.holdfast.cgroup;

import dev.holdfast.cgroup.Delegation.Kind;
import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * Whether somebody else gives us a part of the tree where none is ours, or where what we could take
 * is systemd's.
 *
 * <p>A unit of systemd's that is not delegated is systemd's alone: it may take back at any time
 * what others change in it (its document "Control Group APIs and Delegation").
 */
final class ScopeOffer {
  private static final Path RUN = Path.of("/run");

  /** Nobody is asked. */
  static final ScopeOffer NONE = new ScopeOffer(List.of(), RUN);

  /** Whoever the class path or module path has. */
  static final ScopeOffer OF_SERVICES = new ScopeOffer(null, RUN);

  private final @Nullable List<ScopeManager> managers;
  private final Path run;

  /**
   * @param managers null for those that are found as services, which are only looked for when they
   *     are needed
   * @param run what is {@code /run}
   */
  ScopeOffer(@Nullable List<ScopeManager> managers, Path run) {
    this.managers = managers;
    this.run = run;
  }

  /** What is best: {@code own}, what we have by our own means, or somebody's scope. */
  Delegation instead(Delegation own, CgroupHost host) {
    if (own.kind() != Kind.NONE && own.kind() != Kind.LEAF) {
      return own;
    }
    Optional<Hierarchy> unified = host.unified();
    // A scope lies elsewhere in the tree, so we must see all of that, and be able to write to it.
    if (unified.isEmpty()
        || host.isReadOnly(unified.get())
        || !DelegationProbe.isTop(unified.get(), unified.get().mount())) {
      return own;
    }
    String why = own.reason().orElse("");
    if (own.kind() == Kind.LEAF) {
      Optional<String> theirs = systemds(unified.get());
      if (theirs.isEmpty()) {
        return own;
      }
      why = theirs.get();
    }
    Absence obstacle = null;
    try {
      for (ScopeManager manager : managers == null ? services() : managers) {
        obstacle = manager.obstacle().orElse(null);
        if (obstacle == null) {
          return new Delegation(
              manager, why + "; " + manager.whom() + " gives us a scope", host, unwritable(own));
        }
      }
    } catch (ServiceConfigurationError broken) {
      obstacle =
          new Absence(
              "who could give us another group is not to be had: " + broken.getMessage(),
              "have holdfast and holdfast-systemd of the same version");
    }
    if (obstacle == null && managers == null && Files.isDirectory(run.resolve("systemd/system"))) {
      obstacle =
          new Absence("nobody is here to ask systemd for another group", "add holdfast-systemd");
    }
    return obstacle == null ? own : own.but(why, obstacle);
  }

  private static Iterable<ScopeManager> services() {
    return ServiceLoader.load(ScopeManager.class);
  }

  private static List<Place> unwritable(Delegation own) {
    List<Place> places = new ArrayList<>();
    for (Place place : own.places()) {
      places.add(place.unwritable());
    }
    return places;
  }

  /** Why our group, all of whose processes are ours, is systemd's all the same. */
  private Optional<String> systemds(Hierarchy unified) {
    return undelegated(unified)
        .map(unit -> unit + " is a unit that systemd has not delegated to us")
        .or(() -> UsersUnit.notDelegated(unified, run));
  }

  /**
   * The group of systemd's unit that we are in, if that is not delegated. systemd marks the groups
   * of its units with {@code invocation_id}, and those that it leaves to others with {@code
   * delegate}; in {@code user.} from 252 on, before that in {@code trusted.}, which only root sees.
   */
  private static Optional<Path> undelegated(Hierarchy unified) {
    Path at = unified.own().orElse(null);
    while (at != null && at.startsWith(unified.mount())) {
      try (Directory group = Directory.open(at)) {
        if (has(group, "delegate")) {
          return Optional.empty();
        }
        if (has(group, "invocation_id")) {
          return Optional.of(at);
        }
      } catch (IOException unreadable) {
        return Optional.empty();
      }
      at = at.getParent();
    }
    return Optional.empty();
  }

  private static boolean has(Directory group, String mark) throws IOException {
    return group.hasAttribute("user." + mark) || group.hasAttribute("trusted." + mark);
  }
}
