package dev.holdfast.cgroup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * The control groups of this machine, as we see them: which hierarchies are mounted where, which
 * controllers they hold, and where we are in them. Reading it changes nothing.
 *
 * <p>A picture of the moment it was read. Immutable and thread-safe.
 */
public final class CgroupHost {
  private final Path proc;
  private final List<Hierarchy> hierarchies;
  private final Set<Path> readOnly;

  private CgroupHost(Path proc, List<Hierarchy> hierarchies, Set<Path> readOnly) {
    this.proc = proc;
    this.hierarchies = List.copyOf(hierarchies);
    this.readOnly = Set.copyOf(readOnly);
  }

  /**
   * Reads {@code /proc}.
   *
   * @throws HoldfastException as {@link #read(Path)} does
   */
  public static CgroupHost read() throws HoldfastException {
    return read(Path.of("/proc"));
  }

  /**
   * Reads {@code self/mountinfo} and {@code self/cgroup} of a proc filesystem. A machine without
   * control groups is no error: it is of {@link CgroupVersion#NONE}.
   *
   * @throws HoldfastException if a file cannot be read, or has a line that the kernel does not
   *     write: the message names file and line
   */
  public static CgroupHost read(Path proc) throws HoldfastException {
    return read(proc, "self");
  }

  /** As it would be for us in the groups of another process of ours. */
  static CgroupHost read(Path proc, String process) throws HoldfastException {
    Path groups = proc.resolve(process).resolve("cgroup");
    Path mounts = proc.resolve("self/mountinfo");
    if (!Files.exists(groups)) {
      // Linux without CONFIG_CGROUPS, or not Linux.
      return new CgroupHost(proc, List.of(), Set.of());
    }
    return of(
        proc,
        mounts.toString(),
        content(mounts),
        groups.toString(),
        content(groups),
        CgroupHost::offered);
  }

  /** As {@link #read}, of texts. */
  static CgroupHost of(
      Path proc,
      String mountsFile,
      String mounts,
      String groupsFile,
      String groups,
      Function<Path, Set<String>> offered)
      throws HoldfastException {
    List<MountInfo.Mount> all = MountInfo.parse(mountsFile, mounts);
    Map<Path, Hierarchy> found = new LinkedHashMap<>();
    Set<Path> readOnly = new HashSet<>();
    for (OwnCgroups.Entry entry : OwnCgroups.parse(groupsFile, groups)) {
      List<Candidate> candidates = new ArrayList<>();
      for (MountInfo.Mount mount : all) {
        boolean same =
            entry.unified() ? mount.unified() : mount.features().containsAll(entry.controllers());
        if (same && mount.unified() == entry.unified()) {
          candidates.add(new Candidate(mount, entry.directory(mount.point(), mount.root())));
        }
      }
      Optional<Candidate> best = candidates.stream().min(Candidate.BEST_FIRST);
      if (best.isPresent()) {
        MountInfo.Mount mount = best.get().mount();
        Hierarchy hierarchy =
            new Hierarchy(
                entry.unified(),
                mount.point(),
                mount.root(),
                entry.unified() ? offered.apply(mount.point()) : entry.controllers(),
                entry.path(),
                best.get().own());
        if (found.put(mount.point(), hierarchy) != null) {
          throw new HoldfastException(
              "Cannot find the control groups",
              mountsFile + " has two hierarchies at " + mount.point(),
              "please report this with the whole file",
              null);
        }
        if (mount.readOnly()) {
          readOnly.add(mount.point());
        }
      }
    }
    List<Hierarchy> sorted = new ArrayList<>(found.values());
    sorted.sort((one, other) -> Boolean.compare(!one.unified(), !other.unified()));
    return new CgroupHost(proc, sorted, readOnly);
  }

  /** How the machine has its control groups; only what is mounted here counts. */
  public CgroupVersion version() {
    boolean unified = unified().isPresent();
    boolean legacy = hierarchies.stream().anyMatch(hierarchy -> !hierarchy.unified());
    if (unified) {
      return legacy ? CgroupVersion.HYBRID : CgroupVersion.V2;
    }
    return legacy ? CgroupVersion.V1 : CgroupVersion.NONE;
  }

  /**
   * The hierarchies that are mounted here: v2 first, then those of v1 that hold controllers. Of
   * several mounts of one it is the mount that shows our own group, and then most of the rest.
   */
  public List<Hierarchy> hierarchies() {
    return hierarchies;
  }

  /** The v2 hierarchy. */
  public Optional<Hierarchy> unified() {
    return hierarchies.stream().filter(Hierarchy::unified).findFirst();
  }

  /**
   * The hierarchy that holds {@code controller}, as the kernel names it there ({@code io} on v2 is
   * {@code blkio} on v1). A controller is in one hierarchy at a time; v1 is asked first.
   */
  public Optional<Hierarchy> holding(String controller) {
    return hierarchies.stream()
        .filter(hierarchy -> hierarchy.controllers().contains(controller))
        .min(Comparator.comparing(Hierarchy::unified));
  }

  /** Why no hierarchy here holds {@code controller}; empty if one does. */
  public Optional<Absence> absence(String controller) {
    if (holding(controller).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(KernelControllers.read(proc).absence(controller, unified()));
  }

  /** The proc filesystem that this was read from. */
  Path proc() {
    return proc;
  }

  /** Whether the mount of {@code hierarchy} is read-only, which holds for root too. */
  boolean isReadOnly(Hierarchy hierarchy) {
    return readOnly.contains(hierarchy.mount());
  }

  /** A mount of a hierarchy, and the directory of our own group if the mount shows it. */
  private record Candidate(MountInfo.Mount mount, Optional<Path> own) {
    /** Written out: comparators that are put together cost a short program milliseconds. */
    static final Comparator<Candidate> BEST_FIRST =
        new Comparator<>() {
          @Override
          public int compare(Candidate one, Candidate other) {
            int order = Boolean.compare(one.own().isEmpty(), other.own().isEmpty());
            if (order == 0) {
              order =
                  Boolean.compare(
                      !one.mount().root().equals("/"), !other.mount().root().equals("/"));
            }
            if (order == 0) {
              order = Integer.compare(one.mount().root().length(), other.mount().root().length());
            }
            return order != 0
                ? order
                : Boolean.compare(one.mount().readOnly(), other.mount().readOnly());
          }
        };
  }

  private static Set<String> offered(Path directory) {
    return GroupFile.words(directory.resolve("cgroup.controllers")).orElse(Set.of());
  }

  private static String content(Path file) throws HoldfastException {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (IOException unreadable) {
      throw new HoldfastException(
          "Cannot find the control groups",
          "cannot read " + file + ": " + unreadable,
          "mount a proc filesystem there",
          unreadable);
    }
  }
}
