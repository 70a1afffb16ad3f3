package dev.holdfast;

import dev.holdfast.cgroup.Absence;
import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.cgroup.CgroupVersion;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Place;
import dev.holdfast.containment.NamespaceObstacle;
import dev.holdfast.linux.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What this machine can do for us, and the reason and remedy where it cannot. Probing changes
 * nothing, never waits, and answers in milliseconds. Immutable.
 *
 * @param available whether some cgroup mechanism is
 * @param mechanism the best there is
 * @param reason why there is no better one
 * @param remedy what would mend that
 * @param kernel its release
 * @param version how control groups are mounted
 * @param delegation how we come to own a subtree: explicit, root, owned, leaf, systemd, none
 * @param why why it is that; empty if it is none, see {@code reason}
 * @param hierarchies the cgroup hierarchies
 * @param absences why groups of ours cannot have a controller that limits can ask for, by its name
 *     ({@code io}, {@code hugetlb} and so on); empty where no group is ours, see {@code reason}
 * @param noise what makes the figures of one run differ from those of the next; empty where nothing
 *     is known of it
 * @param features what the kernel has, by the names that {@code holdfast doctor --json} uses; empty
 *     where that cannot be told without changing something; none on other systems than Linux
 */
public record Host(
    boolean available,
    Mechanism mechanism,
    Optional<String> reason,
    Optional<String> remedy,
    String kernel,
    CgroupVersion version,
    String delegation,
    Optional<String> why,
    List<Tree> hierarchies,
    Map<String, Absence> absences,
    List<Noise> noise,
    Map<String, Optional<Boolean>> features) {
  /** Of v2, as it names them; what else can be limited there needs none. */
  private static final List<String> CONTROLLERS =
      List.of("memory", "cpu", "pids", "io", "cpuset", "hugetlb", "rdma", "misc");

  /** Between what concerns control groups and what concerns pid namespaces. */
  private static final String AND = "; for a pid namespace: ";

  /**
   * One cgroup hierarchy.
   *
   * @param unified whether it is v2
   * @param mount where it is mounted
   * @param root where our jobs would lie; our own group if they lie in a scope that is yet to come
   * @param writable whether we may make groups there
   * @param controllers those that our groups there can have: on v2 what {@code root} was given by
   *     the groups above it
   */
  public record Tree(
      boolean unified, Path mount, Path root, boolean writable, Set<String> controllers) {
    public Tree {
      controllers = Collections.unmodifiableSet(new TreeSet<>(controllers));
    }
  }

  /** Looks at this machine. */
  public static Host probe() {
    return probe(Optional.empty());
  }

  /**
   * Looks at this machine.
   *
   * @param cgroupRoot the subtree that jobs shall use, instead of finding one
   */
  public static Host probe(Optional<Path> cgroupRoot) {
    Optional<String> unknown = Platform.unknown();
    if (unknown.isPresent()) {
      return unavailable(Mechanism.PROCESS_TREE, unknown.get(), Platform.REMEDY, Map.of());
    }
    Optional<Absence> obstacle = NamespaceObstacle.find();
    Optional<CgroupHost> seen = Optional.empty();
    try {
      CgroupHost host = CgroupHost.read();
      seen = Optional.of(host);
      Delegation delegation = Delegation.probe(host, cgroupRoot);
      boolean available = delegation.kind() != Delegation.Kind.NONE;
      Optional<Absence> namespace = available ? Optional.empty() : obstacle;
      return new Host(
          available,
          available ? mechanism(host.version()) : withoutCgroup(namespace),
          also(delegation.reason(), namespace.map(Absence::reason)),
          also(delegation.remedy(), namespace.map(Absence::remedy)),
          kernelRelease(),
          host.version(),
          delegation.kind().text(),
          available ? Optional.of(delegation.why()) : Optional.empty(),
          delegation.places().stream().map(Host::tree).toList(),
          available ? absences(delegation) : Map.of(),
          Noise.find(),
          Features.probe(seen, obstacle.isEmpty()));
    } catch (HoldfastException failure) {
      return unavailable(
          withoutCgroup(obstacle),
          failure.why() + obstacle.map(absence -> AND + absence.reason()).orElse(""),
          failure.remedy() + obstacle.map(absence -> AND + absence.remedy()).orElse(""),
          Features.probe(seen, obstacle.isEmpty()));
    }
  }

  private static Mechanism withoutCgroup(Optional<Absence> namespace) {
    return namespace.isEmpty() ? Mechanism.PID_NAMESPACE : Mechanism.PROCESS_GROUP;
  }

  private static Optional<String> also(Optional<String> cgroup, Optional<String> namespace) {
    return cgroup.map(text -> text + namespace.map(more -> AND + more).orElse(""));
  }

  private static Host unavailable(
      Mechanism mechanism, String reason, String remedy, Map<String, Optional<Boolean>> features) {
    return new Host(
        false,
        mechanism,
        Optional.of(reason),
        Optional.of(remedy),
        kernelRelease(),
        CgroupVersion.NONE,
        "none",
        Optional.empty(),
        List.of(),
        Map.of(),
        Noise.find(),
        features);
  }

  private static Map<String, Absence> absences(Delegation delegation) {
    Map<String, Absence> absences = new LinkedHashMap<>();
    for (String controller : CONTROLLERS) {
      delegation.absence(controller).ifPresent(absence -> absences.put(controller, absence));
    }
    return Collections.unmodifiableMap(absences);
  }

  private static Mechanism mechanism(CgroupVersion version) {
    return switch (version) {
      case V2 -> Mechanism.CGROUP_V2;
      case HYBRID -> Mechanism.CGROUP_HYBRID;
      case V1 -> Mechanism.CGROUP_V1;
      case NONE -> Mechanism.PROCESS_GROUP;
    };
  }

  private static Tree tree(Place place) {
    return new Tree(
        place.hierarchy().unified(),
        place.hierarchy().mount(),
        place.base(),
        place.writable(),
        place.controllers());
  }

  private static String kernelRelease() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
    } catch (IOException notLinux) {
      return System.getProperty("os.version", "");
    }
  }
}
