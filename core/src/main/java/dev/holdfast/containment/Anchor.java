package dev.holdfast.containment;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Place;
import dev.holdfast.linux.AnchorRequest;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.KeeperClient;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * This JVM's own directory in each cgroup hierarchy in use. All of its jobs lie under it.
 *
 * <p>It is held by an flock(2) on the directory of the membership hierarchy, from its first moment:
 * the kernel releases the lock when the last process that has the descriptor ends (this JVM and its
 * keeper), however it ends, and a sweep ends and removes only anchors whose lock it can take. A
 * sweep may get between our mkdir and our lock: then our lock fails, or the directory is not at
 * that path any more, when we open it or after we have locked it, and we make another.
 *
 * <p>Thread-safe.
 */
final class Anchor {
  static final String PREFIX = "holdfast-";
  private static final Pattern NAME = Pattern.compile(PREFIX + "[0-9]+-[0-9a-f]{12}");
  private static final int ATTEMPTS = 16;

  private final Delegation delegation;
  private final Cgroup group;
  private final Directory lock;
  private final KeeperClient keeper;
  private List<Directory> handles = List.of();
  private boolean grows;
  private final AtomicInteger jobs = new AtomicInteger();

  private Anchor(Delegation delegation, Cgroup group, Directory lock, KeeperClient keeper) {
    this.delegation = delegation;
    this.group = group;
    this.lock = lock;
    this.keeper = keeper;
  }

  /**
   * Makes, locks and hands to a keeper a new anchor in the subtree that {@code delegation} owns.
   */
  static Anchor create(Delegation delegation) throws IOException {
    delegation.acquire();
    SplittableRandom random =
        new SplittableRandom(System.nanoTime() ^ ProcessHandle.current().pid());
    IOException last = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      String name =
          PREFIX
              + ProcessHandle.current().pid()
              + "-"
              + HexFormat.of().toHexDigits(random.nextLong(), 12);
      Locked made = null;
      try {
        made = makeLocked(delegation, name);
      } catch (IOException failure) {
        if (!isGone(failure)) {
          throw failure;
        }
        last = failure;
      }
      if (made != null) {
        return complete(delegation, made);
      }
    }
    if (last instanceof HoldfastException clear) {
      throw clear;
    }
    throw new HoldfastException(
        "cannot make an anchor",
        "each of " + ATTEMPTS + " new directories was swept away at once",
        "look for a process that removes " + PREFIX + "* directories",
        last);
  }

  /** One that no sweep touches any more. */
  private record Locked(Cgroup group, Directory lock) {}

  /**
   * Null, or a failure because something of it is gone, if a sweep was quicker: it takes what is
   * not locked yet for a dead one, and we find that out at whatever we do next with it.
   */
  private static @Nullable Locked makeLocked(Delegation delegation, String name)
      throws IOException {
    Cgroup group = delegation.createHolder(name);
    Directory lock = null;
    boolean locked = false;
    try {
      lock = Directory.open(membership(group));
      locked = lock.tryLock() && isStill(lock);
      return locked ? new Locked(group, lock) : null;
    } finally {
      if (!locked) {
        undo(group, lock);
      }
    }
  }

  private static boolean isGone(IOException failure) {
    Throwable call = failure instanceof HoldfastException ? failure.getCause() : failure;
    return call instanceof SystemCallException refused && Errno.isGone(refused.errno());
  }

  private static Anchor complete(Delegation delegation, Locked made) throws IOException {
    KeeperClient keeper =
        delegation.kind() == Delegation.Kind.SYSTEMD
            ? new KeeperClient(delegation::admit)
            : new KeeperClient();
    boolean complete = false;
    try {
      made.group().enableControllers();
      Anchor anchor = new Anchor(delegation, made.group(), made.lock(), keeper);
      anchor.tellKeeper();
      complete = true;
      return anchor;
    } finally {
      if (!complete) {
        keeper.close();
        undo(made.group(), made.lock());
      }
    }
  }

  /** What cannot be removed is empty and not locked any more: a sweep removes it. */
  private static void undo(Cgroup group, @Nullable Directory lock) {
    try {
      group.close();
    } catch (IOException left) {
      // The failure that led here is the one to tell of.
    } finally {
      if (lock != null) {
        lock.close();
      }
    }
  }

  /**
   * Takes more controllers into use for the jobs to come: see {@link Cgroup#use}. The keeper is
   * told where directories of v1 may come from now on before there is one, or it would leave behind
   * what we make right before we die.
   */
  synchronized void use(Set<String> controllers) throws IOException {
    if (!grows) {
      boolean told = false;
      grows = true;
      try {
        tellKeeper();
        told = true;
      } finally {
        grows = told;
      }
    }
    group.use(controllers);
  }

  private synchronized void tellKeeper() throws IOException {
    List<AnchorRequest.Hierarchy> hierarchies = new ArrayList<>();
    List<Directory> opened = new ArrayList<>();
    try {
      Path membership = membership(group);
      hierarchies.add(hierarchy(membership, lock, opened));
      for (Path directory : group.v1Directories()) {
        if (!directory.equals(membership)) {
          Directory own = Directory.open(directory);
          opened.add(own);
          hierarchies.add(hierarchy(directory, own, opened));
        }
      }
      for (Path base : grows ? unused() : List.<Path>of()) {
        Directory parent = Directory.open(base);
        opened.add(parent);
        hierarchies.add(new AnchorRequest.Hierarchy(AnchorRequest.Kind.LATER, parent, parent));
      }
      keeper.anchor(new AnchorRequest(group.name(), hierarchies));
    } catch (IOException | RuntimeException failure) {
      opened.forEach(Directory::close);
      throw failure;
    }
    handles.forEach(Directory::close);
    handles = opened;
  }

  /** Where in v1's hierarchies it has no directory yet, and could have one. */
  private List<Path> unused() {
    return delegation.places().stream()
        .filter(place -> !place.hierarchy().unified() && place.writable())
        .map(Place::base)
        .filter(base -> !group.v1Directories().contains(base.resolve(group.name())))
        .toList();
  }

  private AnchorRequest.Hierarchy hierarchy(Path path, Directory own, List<Directory> opened)
      throws IOException {
    Directory parent = Directory.open(path.resolveSibling(".").normalize());
    opened.add(parent);
    AnchorRequest.Kind kind =
        path.equals(group.unifiedDirectory().orElse(null))
            ? AnchorRequest.Kind.V2
            : own.has("freezer.state") ? AnchorRequest.Kind.FREEZER : AnchorRequest.Kind.OTHER;
    return new AnchorRequest.Hierarchy(kind, parent, own);
  }

  /** Whether an anchor could be called {@code name}. */
  static boolean isNamed(String name) {
    return NAME.matcher(name).matches();
  }

  /** Whether {@code path} is called like the scopes that systemd makes for us. */
  static boolean isScope(Path path) {
    String name = String.valueOf(path.getFileName());
    return name.startsWith(PREFIX) && name.endsWith(".scope");
  }

  /** Whether what was opened, and locked, still is what lies at its path. */
  static boolean isStill(Directory directory) {
    try (Directory again = Directory.open(directory.path())) {
      return again.status().inode() == directory.status().inode();
    } catch (IOException gone) {
      return false;
    }
  }

  /**
   * The directory that tells who is a member, and bears the lock: v2's, on pure v1 the freezer's.
   */
  static Path membership(Cgroup group) {
    return group.unifiedDirectory().orElseGet(() -> group.v1Directories().getFirst());
  }

  /** Its directory that bears the lock. */
  Path path() {
    return lock.path();
  }

  /** A new job's group. */
  Cgroup newJob() throws IOException {
    return group.create("job-" + jobs.incrementAndGet());
  }

  KeeperClient keeper() {
    return keeper;
  }

  /**
   * Removes the anchor, whose jobs have been closed. Released ones may hold it: then it stays, for
   * a sweep.
   */
  void close() throws IOException {
    try {
      if (!group.isPopulated()) {
        group.remove();
      }
    } finally {
      // What is left is ended and removed by the keeper.
      keeper.close();
      lock.close();
      synchronized (this) {
        handles.forEach(Directory::close);
      }
    }
  }
}
