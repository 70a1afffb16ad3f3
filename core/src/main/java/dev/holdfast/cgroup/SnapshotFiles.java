package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The files of a group in one hierarchy, as snapshots read them: from the second snapshot on they
 * stay open, and those that are not there are not looked for again.
 *
 * <p>Thread-safe.
 */
final class SnapshotFiles {
  private final @Nullable Directory group;
  private final boolean legacy;
  private final Set<String> absent = ConcurrentHashMap.newKeySet();
  private volatile @Nullable String controllers;
  private volatile boolean looked;
  private volatile boolean again;

  private SnapshotFiles(@Nullable Directory group, boolean legacy) {
    this.group = group;
    this.legacy = legacy;
  }

  static SnapshotFiles of(Branch branch) {
    return new SnapshotFiles(branch.directory(), !branch.unified());
  }

  static List<SnapshotFiles> of(List<Branch> branches) {
    List<SnapshotFiles> all = new ArrayList<>();
    for (Branch branch : branches) {
      all.add(of(branch));
    }
    return all;
  }

  /** Where there is no directory. */
  static SnapshotFiles none() {
    return new SnapshotFiles(null, false);
  }

  boolean areOf(Directory directory) {
    return group == directory;
  }

  /** Whether they are v1's. */
  boolean legacy() {
    return legacy;
  }

  /**
   * A snapshot begins. A v2 group gets files when somebody enables a controller for it, which
   * {@code cgroup.controllers} tells: then what was absent may be there.
   */
  void begin() throws IOException {
    again = looked;
    looked = true;
    if (group != null && !legacy && !absent.isEmpty()) {
      String now = group.readKept("cgroup.controllers");
      if (now != null && !now.equals(controllers)) {
        absent.clear();
        controllers = now;
      }
    }
  }

  /** The file's content; null where it is not there. */
  @Nullable String text(String file) throws IOException {
    if (group == null || absent.contains(file)) {
      return null;
    }
    String text = again ? group.readKept(file) : group.readIfPresent(file);
    if (text == null) {
      absent.add(file);
    }
    return text;
  }

  /** As {@link #text}, of the file that the version at hand has; null for none. */
  @Nullable String text(@Nullable String unified, @Nullable String legacyFile) throws IOException {
    String name = legacy ? legacyFile : unified;
    return name == null ? null : text(name);
  }

  /** The one number in the file that the version at hand has; null for none. */
  OptionalLong number(@Nullable String unified, @Nullable String legacyFile) throws IOException {
    return FlatKeyed.number(text(unified, legacyFile));
  }

  @Override
  public String toString() {
    return Optional.ofNullable(group).map(Directory::toString).orElse("none");
  }
}
