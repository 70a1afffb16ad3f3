package dev.holdfast.cgroup;

import dev.holdfast.cgroup.Delegation.Kind;
import dev.holdfast.linux.RawText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The rules by which {@link Delegation} finds its places; only looks. */
final class DelegationProbe {
  /**
   * The controllers that every group gets: without them on v2 nothing needs to be enabled there,
   * and our processes stay where they are until a group asks for another one ({@link Growth}).
   */
  private static final Set<String> LIMITING = Set.of("memory", "cpu", "pids");

  private final CgroupHost host;
  private final ScopeOffer offer;
  private final boolean root;
  private final Map<String, Absence> absences = new TreeMap<>();

  /**
   * @param offer who may be asked where nothing is ours
   */
  DelegationProbe(CgroupHost host, ScopeOffer offer) {
    this.host = host;
    this.offer = offer;
    this.root =
        GroupFile.text(host.proc().resolve("self/status")).orElse("").contains("\nUid:\t0\t");
  }

  Delegation run(Optional<Path> explicitRoot) throws HoldfastException {
    Map<Hierarchy, Path> bases = new LinkedHashMap<>();
    boolean explicit = explicitRoot.isPresent();
    if (explicit) {
      bases.putAll(explicit(explicitRoot.get()));
    }
    for (Hierarchy hierarchy : host.hierarchies()) {
      if (!bases.containsKey(hierarchy)) {
        base(hierarchy).ifPresent(base -> bases.put(hierarchy, base));
      }
    }
    Optional<Absence> problem = Optional.empty();
    boolean moves = false;
    Optional<Hierarchy> first = host.unified().or(() -> host.holding("freezer"));
    if (first.isEmpty()) {
      problem = Optional.of(noHierarchy());
    }
    List<Place> places = new ArrayList<>();
    for (Hierarchy hierarchy : host.hierarchies()) {
      Path base = bases.get(hierarchy);
      Optional<Absence> here =
          base == null ? Optional.of(outside(hierarchy)) : unwritable(hierarchy, base);
      if (base != null) {
        places.add(Place.of(hierarchy, base, isTop(hierarchy, base), here.isEmpty()));
      }
      if (here.isEmpty() && base != null && hierarchy.unified()) {
        here = unusable(hierarchy, base);
        moves = here.isEmpty() && mustMove(hierarchy, base);
      }
      if (here.isPresent()) {
        if (first.filter(hierarchy::equals).isPresent()) {
          problem = here;
        }
        for (String controller : hierarchy.controllers()) {
          absences.put(controller, here.get());
        }
      }
    }
    offered(places);
    Kind kind = Kind.OWNED;
    if (problem.isPresent()) {
      kind = Kind.NONE;
    } else if (explicit) {
      kind = Kind.EXPLICIT;
    } else if (moves) {
      kind = Kind.LEAF;
    } else if (places.stream().filter(Place::writable).allMatch(Place::top)) {
      kind = Kind.ROOT;
    }
    Delegation own =
        new Delegation(
            kind, why(kind, bases, first), host, places, problem.orElse(null), moves, absences);
    return explicit ? own : offer.instead(own, host);
  }

  private static String why(Kind kind, Map<Hierarchy, Path> bases, Optional<Hierarchy> first) {
    Path base = first.map(bases::get).orElse(null);
    return switch (kind) {
      case EXPLICIT -> base + " was asked for";
      case ROOT -> "we are in the root of each hierarchy in use, where nothing has to move";
      case OWNED -> "groups can be made in " + base + " as it is";
      case LEAF -> "all processes in " + base + " are ours, and can move to a leaf of it";
      case SYSTEMD, NONE -> "";
    };
  }

  /** What helps where a group is not ours. */
  static String remedy(boolean root) {
    return "run under systemd-run "
        + (root ? "" : "--user ")
        + "--scope -p Delegate=yes"
        + (root ? "" : ", run as root")
        + ", or give a group that is ours with --cgroup-root";
  }

  private Map<Hierarchy, Path> explicit(Path given) throws HoldfastException {
    Path real = real(given);
    Map<Hierarchy, Path> bases = new LinkedHashMap<>();
    String path = "";
    Path nearest = null;
    for (Hierarchy hierarchy : host.hierarchies()) {
      Path mount = real(hierarchy.mount());
      boolean nearer = nearest == null || mount.startsWith(nearest);
      if (real.startsWith(mount) && nearer && isGroup(real)) {
        Path base = hierarchy.mount().resolve(mount.relativize(real)).normalize();
        path = hierarchy.pathOf(base);
        nearest = mount;
        bases.clear();
        bases.put(hierarchy, base);
      }
    }
    if (bases.isEmpty()) {
      throw notAGroup(
          given,
          "it is no control group of a mounted hierarchy",
          host.hierarchies().isEmpty()
              ? "mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
              : "give a directory with a cgroup.procs, below "
                  + host.hierarchies().stream()
                      .map(hierarchy -> hierarchy.mount().toString())
                      .collect(Collectors.joining(", ")));
    }
    for (Hierarchy hierarchy : host.hierarchies()) {
      Optional<Path> same =
          GroupPath.below(hierarchy.root(), path)
              .map(below -> hierarchy.mount().resolve(RawText.path(below)));
      if (same.isPresent() && isGroup(same.get())) {
        bases.putIfAbsent(hierarchy, same.get());
      }
    }
    return bases;
  }

  private static Path real(Path path) throws HoldfastException {
    try {
      return path.toRealPath();
    } catch (IOException | SecurityException unreachable) {
      throw notAGroup(path, "it cannot be reached: " + unreachable, "make it first: mkdir " + path);
    }
  }

  private static HoldfastException notAGroup(Path path, String why, String remedy) {
    return new HoldfastException("Cannot use " + path, why, remedy, null);
  }

  /** Our own group, or the one above if we are in its leaf already. */
  private static Optional<Path> base(Hierarchy hierarchy) {
    Optional<Path> own = hierarchy.own();
    if (own.isPresent() && isLeaf(hierarchy, own.get())) {
      return Optional.ofNullable(own.get().getParent());
    }
    return own;
  }

  private static boolean isLeaf(Hierarchy hierarchy, Path own) {
    return hierarchy.unified()
        && GroupPath.last(hierarchy.ownPath()).equals(Delegation.LEAF)
        && !own.equals(hierarchy.mount());
  }

  /** K: cgroup.type is in every group but the real root; release_agent (v1) in the root alone. */
  static boolean isTop(Hierarchy hierarchy, Path base) {
    return hierarchy.root().equals("/")
        && base.equals(hierarchy.mount())
        && (hierarchy.unified()
            ? !Files.exists(base.resolve("cgroup.type"))
            : Files.exists(base.resolve("release_agent"))
                || Files.exists(base.resolve("cgroup.sane_behavior")));
  }

  private static boolean isGroup(Path directory) {
    return Files.exists(directory.resolve("cgroup.procs"));
  }

  private Absence noHierarchy() {
    if (host.version() == CgroupVersion.V1) {
      return host.absence("freezer").orElseThrow();
    }
    return new Absence(
        "no control groups are mounted here",
        "mount them: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
  }

  private static Absence outside(Hierarchy hierarchy) {
    return new Absence(
        "our own group "
            + hierarchy.ownPath()
            + " lies outside of what "
            + hierarchy.mount()
            + " shows",
        "mount the hierarchy again, or give a group that it shows with --cgroup-root");
  }

  private Optional<Absence> unwritable(Hierarchy hierarchy, Path base) {
    if (!isGroup(base)) {
      return Optional.of(
          new Absence(
              base + " is no control group, though we should be in it",
              "mount the hierarchy again, or give a group that is ours with --cgroup-root"));
    }
    if (host.isReadOnly(hierarchy)) {
      return Optional.of(
          new Absence(
              hierarchy.mount() + " is mounted read-only",
              "have it mounted read-write (a container: run it privileged, or with its own"
                  + " writable cgroup mount), or give a group elsewhere with --cgroup-root"));
    }
    List<Path> needed = new ArrayList<>();
    needed.add(base);
    if (hierarchy.unified()) {
      needed.add(base.resolve("cgroup.procs"));
      needed.add(base.resolve("cgroup.subtree_control"));
      // Who moves a process needs this of the nearest group above both places.
      common(hierarchy, base).ifPresent(common -> needed.add(common.resolve("cgroup.procs")));
    }
    return needed.stream()
        .filter(path -> !Files.isWritable(path))
        .findFirst()
        .map(path -> new Absence(path + " is not writable for us", remedy(root)));
  }

  private static Optional<Path> common(Hierarchy hierarchy, Path base) {
    return hierarchy
        .own()
        .map(own -> {
          Path common = base;
          while (!own.startsWith(common) && !common.equals(hierarchy.mount())) {
            Path parent = common.getParent();
            if (parent == null) {
              break;
            }
            common = parent;
          }
          return common;
        });
  }

  /** Why groups below {@code base} could not hold processes, or could not get controllers. */
  private Optional<Absence> unusable(Hierarchy unified, Path base) {
    Path type = base.resolve("cgroup.type");
    String text = GroupFile.text(type).orElse("domain");
    if (!text.equals("domain")) {
      return Optional.of(
          new Absence(
              type + " is \"" + text + "\": groups below it cannot hold processes", remedy(root)));
    }
    if (!mustMove(unified, base)) {
      return Optional.empty();
    }
    return Strangers.in(base, host.proc()).map(why -> new Absence(why, remedy(root)));
  }

  /** Whether processes in {@code base} stand in the way of controllers below it. */
  private static boolean mustMove(Hierarchy unified, Path base) {
    return unified.own().filter(base::equals).isPresent()
        && !isTop(unified, base)
        && unified.controllers().stream().anyMatch(LIMITING::contains)
        && GroupFile.words(base.resolve("cgroup.subtree_control")).orElse(Set.of()).isEmpty();
  }

  /** Notes the wanted controllers that are nowhere, or that v2 does not offer at our base. */
  private void offered(List<Place> places) {
    for (String controller : SubtreeControl.WANTED) {
      MissingController.of(controller, host, places)
          .ifPresent(absence -> absences.putIfAbsent(controller, absence));
    }
  }
}
