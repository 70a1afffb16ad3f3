package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.FileStatus;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A group's directory in one hierarchy. What it remembers of the groups nested in it is for the
 * counters that the kernel keeps per group (see {@link NestedSum}).
 *
 * <p>Thread-safe.
 */
final class Branch implements AutoCloseable {
  private static final String ATTRIBUTE = "user.holdfast";

  private final Hierarchy hierarchy;
  private final Directory directory;
  private final @Nullable Branch above;
  private volatile List<String> controllers;
  private final Map<String, Long> departed = new HashMap<>();
  private volatile boolean keepsTimes;
  private volatile boolean sums = true;
  private long knownModified;
  private volatile boolean bindsNested;
  private volatile @Nullable DevicePolicy devices;

  /**
   * An existing directory.
   *
   * @param controllers v1: those of the hierarchy that we use
   */
  Branch(Hierarchy hierarchy, Directory directory, List<String> controllers) {
    this(hierarchy, directory, controllers, null);
  }

  private Branch(
      Hierarchy hierarchy, Directory directory, List<String> controllers, @Nullable Branch above) {
    this.hierarchy = hierarchy;
    this.directory = directory;
    this.above = above;
    this.controllers = List.copyOf(controllers);
  }

  /**
   * Makes the group {@code name} in {@code parent}; leaves nothing behind when it fails.
   *
   * @param sums whether it is to be asked for what nested groups have counted
   */
  static Branch make(
      Hierarchy hierarchy, Directory parent, String name, List<String> controllers, boolean sums)
      throws IOException {
    return make(hierarchy, parent, name, controllers, sums, null);
  }

  /** Makes the group {@code name} in this one, in the same way. */
  Branch nest(String name, List<String> controllers, boolean sums) throws IOException {
    return changing(() -> make(hierarchy, directory, name, controllers, sums, this));
  }

  private static Branch make(
      Hierarchy hierarchy,
      Directory parent,
      String name,
      List<String> controllers,
      boolean sums,
      @Nullable Branch above)
      throws IOException {
    try {
      parent.make(name);
    } catch (SystemCallException failure) {
      if (above == null || failure.errno() != Errno.EACCES) {
        throw failure;
      }
      parent.mode(0755); // ours, closed by members with our identity
      parent.make(name);
    }
    Directory directory = null;
    try {
      directory = parent.open(name);
      Branch branch = new Branch(hierarchy, directory, controllers, above);
      branch.sums = sums;
      if (!hierarchy.unified()) {
        if (sums && (controllers.contains("memory") || controllers.contains("pids"))) {
          branch.keepTimes();
        }
        if (hierarchy.controllers().contains("cpuset")) {
          Cpuset.seed(directory, parent);
        }
      }
      return branch;
    } catch (IOException | RuntimeException failure) {
      if (directory != null) {
        directory.close();
      }
      parent.tryRemove(name);
      throw failure;
    }
  }

  Hierarchy hierarchy() {
    return hierarchy;
  }

  boolean unified() {
    return hierarchy.unified();
  }

  /** Whether it is asked for what nested groups have counted. */
  boolean sums() {
    return sums;
  }

  Directory directory() {
    return directory;
  }

  Path path() {
    return directory.path();
  }

  /** As the kernel names it. */
  String kernelPath() {
    return hierarchy.pathOf(path());
  }

  /** v1: the controllers of this hierarchy that we use. */
  List<String> controllers() {
    return controllers;
  }

  boolean holds(String controller) {
    return controllers.contains(controller);
  }

  /** v1: another controller of this hierarchy is used from now on. */
  synchronized void use(String controller) {
    if (!controllers.contains(controller)) {
      List<String> more = new ArrayList<>(controllers);
      more.add(controller);
      controllers = List.copyOf(more);
    }
  }

  /**
   * A cgroup directory has no times of its own until an attribute is set on it; from then on its
   * modification time changes with every group made or removed in it (seen on 6.18).
   */
  private void keepTimes() throws IOException {
    try {
      directory.setAttribute(ATTRIBUTE, "1");
    } catch (SystemCallException refused) {
      if (refused.errno() == Errno.EOPNOTSUPP || refused.errno() == Errno.EPERM) {
        return; // before Linux 5.7: what vanishes goes unnoticed
      }
      throw refused;
    }
    synchronized (this) {
      knownModified = directory.status().modifiedNanos();
    }
    keepsTimes = true;
  }

  /**
   * v1: whether its memory limit binds the groups in it too, which before Linux 5.11 is a choice
   * ({@code memory.use_hierarchy}). What is made in a group where it does is the same, and nothing
   * changes that any more: so the group above is asked, once for all in it.
   */
  boolean bindsNested() throws IOException {
    if (!bindsNested) {
      String text = null;
      if (above == null || !above.bindsNested()) {
        text = directory.readIfPresent(MemoryV1.HIERARCHY);
      }
      bindsNested = text == null || !text.strip().equals("0");
    }
    return bindsNested;
  }

  /** What {@link DevicesV1} set here: {@code devices.list} does not show all of it. */
  @Nullable DevicePolicy devices() {
    return devices;
  }

  void devices(@Nullable DevicePolicy policy) {
    devices = policy;
  }

  /** Whether nested groups came or went that we neither made nor removed ourselves. */
  synchronized boolean changedByOthers() throws IOException {
    return keepsTimes && directory.status().modifiedNanos() != knownModified;
  }

  /**
   * Whether there is no nested group and never was one that we did not make ourselves; one call,
   * where a listing takes four.
   */
  synchronized boolean isPlain() throws IOException {
    FileStatus status = directory.status();
    return keepsTimes && status.modifiedNanos() == knownModified && status.links() == 2;
  }

  /** What {@code file} counted in nested groups that we removed; empty if that is not known. */
  synchronized OptionalLong departed(String file) {
    long count = departed.getOrDefault(file, 0L);
    return count < 0 ? OptionalLong.empty() : OptionalLong.of(count);
  }

  /** A change of the nested groups. */
  @FunctionalInterface
  interface Change<T> {
    T make() throws IOException;
  }

  /** Makes a change of our own, which is not to be taken for one of others. */
  <T> T changing(Change<T> change) throws IOException {
    if (!keepsTimes) {
      return change.make();
    }
    synchronized (this) {
      boolean unknown = changedByOthers();
      T result = change.make();
      if (!unknown) {
        knownModified = directory.status().modifiedNanos();
      }
      return result;
    }
  }

  /** Remembers what {@code file} counted in a nested group that is about to be removed. */
  synchronized void depart(String file, OptionalLong count) {
    if (count.isEmpty() || departed.getOrDefault(file, 0L) < 0) {
      departed.put(file, -1L);
    } else {
      departed.merge(file, count.getAsLong(), Long::sum);
    }
  }

  @Override
  public void close() {
    directory.close();
  }

  @Override
  public String toString() {
    return path().toString();
  }
}
