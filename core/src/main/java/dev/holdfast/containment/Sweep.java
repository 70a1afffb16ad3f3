package dev.holdfast.containment;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.cgroup.Hierarchy;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.linux.AnyMode;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.RawText;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Ends and removes the anchors of JVMs that died together with their keepers. The lock tells: the
 * kernel frees it when the last process that holds it ends, whatever its number, user, container or
 * time of start, so an anchor whose lock can be had is nobody's, and one whose lock cannot is not
 * touched, unless only its own members have it ({@link LockHolders}). Whoever has the lock keeps it
 * until the anchor is gone, so two sweeps do not meet.
 *
 * <p>Not thread-safe; each sweep is one of these.
 */
public final class Sweep {
  /** As long as a keeper's: nobody else may come for the members. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** The last of the pauses that the lock of ended members is waited for with, 1 s in all. */
  private static final long LONGEST_PAUSE_NANOS = 512_000_000;

  /** Is told what becomes of each anchor that is found. */
  public interface Listener {
    /** It belongs to somebody who lives. */
    void living(String anchor);

    /** It was nobody's, and is gone. */
    void swept(String anchor, String path, int killed);

    /** Its members were released by their owner and live on; it goes when they have ended. */
    void released(String anchor, String path);

    /** It is nobody's, and could not be removed. */
    void left(String anchor, String path, IOException why);
  }

  private final CgroupHost host;
  private final Listener listener;
  private @Nullable Map<String, List<Path>> legacy;

  private Sweep(CgroupHost host, Listener listener) {
    this.host = host;
    this.listener = listener;
  }

  /** Looks through all that is mounted here. */
  public static void everywhere(Listener listener) throws IOException {
    CgroupHost host = CgroupHost.read();
    Optional<Hierarchy> membership = host.unified().or(() -> host.holding("freezer"));
    if (membership.isPresent()) {
      Sweep sweep = new Sweep(host, listener);
      for (Path anchor : anchorsBelow(membership.get().mount())) {
        sweep.look(anchor);
      }
    }
  }

  /**
   * Looks for anchors beside {@code own}, and in scopes beside the one that it is in, on a thread
   * of its own, which is only started if there are any. What cannot be removed is left for another
   * time.
   */
  static void besideInBackground(CgroupHost host, Path own) throws IOException {
    List<Path> others = beside(own);
    if (!others.isEmpty()) {
      Thread.ofPlatform()
          .daemon()
          .name("holdfast-sweep")
          .start(() -> {
            Sweep sweep = new Sweep(host, new Silent());
            others.forEach(sweep::look);
          });
    }
  }

  private static List<Path> beside(Path own) throws IOException {
    List<Path> found = new ArrayList<>();
    Path base = own.getParent();
    if (base == null) {
      return found;
    }
    collect(base, own, found);
    Path above = base.getParent();
    if (above != null && Anchor.isScope(base)) {
      for (Path scope : nestedIn(above)) {
        if (Anchor.isScope(scope) && !scope.equals(base)) {
          collect(scope, own, found);
        }
      }
    }
    return found;
  }

  private static void collect(Path base, Path own, List<Path> found) throws IOException {
    for (Path group : nestedIn(base)) {
      if (Anchor.isNamed(String.valueOf(group.getFileName())) && !group.equals(own)) {
        found.add(group);
      }
    }
  }

  private void look(Path path) {
    String name = String.valueOf(path.getFileName());
    if (!isOurs(path)) {
      return; // another user's, who sweeps himself, or gone
    }
    try (Directory directory = AnyMode.open(path)) {
      if (directory.tryLock()) {
        if (Anchor.isStill(directory)) {
          end(name, directory, 0);
        }
        return;
      }
      LockHolders members = holdersOrNull(directory);
      if (members == null) {
        listener.living(name);
      } else {
        end(name, directory, endAndLock(name, directory, members));
      }
    } catch (IOException failure) {
      if (Files.exists(path)) {
        listener.left(name, path.toString(), failure);
      }
    }
  }

  /**
   * Whether we may end what is in there. What is ours may be closed to us all the same: members of
   * the same user can take the modes away.
   */
  private static boolean isOurs(Path path) {
    if (Files.isWritable(path.resolve("cgroup.procs"))) {
      return true;
    }
    try {
      return Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS)
          .equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException gone) {
      return false;
    }
  }

  /** Who has the lock; null if that may be an owner, also where it cannot be told. */
  private @Nullable LockHolders holdersOrNull(Directory directory) {
    try {
      LockHolders holders = LockHolders.of(host, directory);
      return holders.mayBeOwners() ? null : holders;
    } catch (IOException unknown) {
      return null;
    }
  }

  /**
   * Takes the lock from members of an anchor that is nobody's: the kernel frees it when they have
   * ended. How many were killed.
   */
  private int endAndLock(String name, Directory directory, LockHolders holders) throws IOException {
    Dead dead = open(name, directory);
    int killed = 0;
    if (dead.nobodyWasReleased()) {
      killed = kill(dead.directories());
    } else {
      for (String job : dead.jobs()) {
        killed += kill(in(dead.directories(), job));
      }
      // What was released lives on, but nobody there needs the lock.
      killed += holders.killMembers();
    }
    // No event tells that a lock is free, but to wait for it in flock(2), and that has no end.
    for (long pause = 1_000_000; !directory.tryLock(); pause *= 2) {
      if (pause > LONGEST_PAUSE_NANOS) {
        throw new HoldfastException(
            "cannot take the lock of " + directory,
            "a member took it when the owner died, and has not let go of it",
            "look who has it open, in /proc/*/fd, or in /proc/locks",
            null);
      }
      LockSupport.parkNanos(pause);
    }
    return killed;
  }

  /**
   * An anchor that is nobody's.
   *
   * @param directories its own in each hierarchy
   * @param jobs those that are to be ended
   * @param nobodyWasReleased whether that is all there is
   */
  private record Dead(List<Path> directories, List<String> jobs, boolean nobodyWasReleased) {}

  /** So that it can be looked at, killed and removed. */
  private Dead open(String name, Directory directory) throws IOException {
    List<Path> directories = directoriesOf(name, directory);
    ClosedGroups.open(directories);
    List<String> all = directory.subdirectories();
    List<String> jobs = new ArrayList<>();
    for (String job : all) {
      if (!isReleased(directory, job) || !isPopulated(in(directories, job))) {
        jobs.add(job);
      }
    }
    return new Dead(directories, jobs, jobs.size() == all.size());
  }

  /** Not if it is gone: members can make and remove groups there all the time. */
  private static boolean isReleased(Directory anchor, String job) throws IOException {
    try {
      return CgroupContainer.isReleased(anchor, job);
    } catch (SystemCallException failure) {
      if (Errno.isGone(failure.errno())) {
        return false;
      }
      throw failure;
    }
  }

  private List<Path> directoriesOf(String name, Directory directory) throws IOException {
    List<Path> directories = new ArrayList<>(List.of(directory.path()));
    int owner = directory.status().owner();
    for (Path other : legacy().getOrDefault(name, List.of())) {
      if (isOwnedBy(owner, other)) {
        directories.add(other);
      }
    }
    return directories;
  }

  /**
   * @param killed how many have been killed before
   */
  private void end(String name, Directory directory, int killed) throws IOException {
    Dead dead = open(name, directory);
    if (dead.nobodyWasReleased()) {
      // All together: each by itself would have to be waited for, until the kernel is through with
      // its members.
      int members = end(dead.directories());
      listener.swept(name, directory.path().toString(), killed + members);
      return;
    }
    for (String job : dead.jobs()) {
      var _ = end(in(dead.directories(), job));
    }
    listener.released(name, directory.path().toString());
  }

  /** Whoever may make groups can give one the name of another user's living anchor. */
  private static boolean isOwnedBy(int owner, Path anchor) throws IOException {
    try (Directory directory = AnyMode.open(anchor)) {
      return directory.status().owner() == owner;
    } catch (SystemCallException gone) {
      return false;
    }
  }

  private boolean isPopulated(List<Path> directories) throws IOException {
    if (directories.isEmpty()) {
      return false; // gone by now
    }
    Cgroup group = Cgroup.existing(host, directories);
    try {
      return group.isPopulated();
    } finally {
      group.leave();
    }
  }

  /**
   * How many lived there, at least. On v1 it may take longer to see that nobody is left than
   * anybody waits for: a group that can be removed has no member.
   */
  private int end(List<Path> directories) throws IOException {
    if (directories.isEmpty()) {
      return 0;
    }
    Cgroup group = Cgroup.existing(host, directories);
    try {
      int members = group.memberCount(CgroupContainer.COUNTING);
      IOException perhapsAlive = kill(group);
      try {
        group.remove();
      } catch (IOException busy) {
        throw perhapsAlive == null ? busy : perhapsAlive;
      }
      return members;
    } finally {
      group.leave();
    }
  }

  /** How many lived there, at least. What cannot be ended is told where it cannot be removed. */
  private int kill(List<Path> directories) throws IOException {
    if (directories.isEmpty()) {
      return 0;
    }
    Cgroup group = Cgroup.existing(host, directories);
    try {
      int members = group.memberCount(CgroupContainer.COUNTING);
      var _ = kill(group);
      return members;
    } finally {
      group.leave();
    }
  }

  private static @Nullable IOException kill(Cgroup group) {
    try {
      group.kill(PATIENCE);
      return null;
    } catch (IOException failure) {
      return failure;
    }
  }

  private static List<Path> in(List<Path> directories, String job) {
    Path name = RawText.path(job); // which members can have given
    return directories.stream().map(path -> path.resolve(name)).filter(Files::exists).toList();
  }

  /**
   * The directories of anchors in the v1 hierarchies beside that of the members, by name. They may
   * lie anywhere: their owner was in other groups than we are.
   */
  private Map<String, List<Path>> legacy() throws IOException {
    Map<String, List<Path>> known = legacy;
    if (known == null) {
      known = new HashMap<>();
      Hierarchy membership = host.unified().or(() -> host.holding("freezer")).orElse(null);
      for (Hierarchy hierarchy : host.hierarchies()) {
        if (!hierarchy.equals(membership)) {
          for (Path anchor : anchorsBelow(hierarchy.mount())) {
            known
                .computeIfAbsent(String.valueOf(anchor.getFileName()), name -> new ArrayList<>())
                .add(anchor);
          }
        }
      }
      legacy = known;
    }
    return known;
  }

  /**
   * Anchors below {@code top}; one may lie in a job of another, and is found first when that is not
   * swept. However deep the tree is, it takes one descriptor.
   */
  private static List<Path> anchorsBelow(Path top) throws IOException {
    List<Path> found = new ArrayList<>();
    Deque<Path> ahead = new ArrayDeque<>(List.of(top));
    for (Path next = ahead.poll(); next != null; next = ahead.poll()) {
      for (Path group : nestedIn(next)) {
        ahead.push(group);
        if (Anchor.isNamed(String.valueOf(group.getFileName()))) {
          found.add(group);
        }
      }
    }
    return found;
  }

  /**
   * None in one that is gone; nor in one that does not let us in, or that lies too deep for any
   * path: it holds nothing of ours.
   */
  private static List<Path> nestedIn(Path group) throws IOException {
    try (Directory directory = Directory.open(group)) {
      return directory.subdirectories().stream().map(directory::path).toList();
    } catch (SystemCallException failure) {
      if (failure.errno() == Errno.ENOENT
          || failure.errno() == Errno.ENODEV
          || failure.errno() == Errno.EACCES
          || failure.errno() == Errno.ENAMETOOLONG) {
        return List.of();
      }
      throw failure;
    }
  }

  private static final class Silent implements Listener {
    @Override
    public void living(String anchor) {}

    @Override
    public void swept(String anchor, String path, int killed) {}

    @Override
    public void released(String anchor, String path) {}

    @Override
    public void left(String anchor, String path, IOException why) {}
  }
}
