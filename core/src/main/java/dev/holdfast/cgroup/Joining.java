package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.RawText;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Moves a running process into a group: in every hierarchy, or in none. */
final class Joining {
  static final String FILE = "cgroup.procs";
  private static final int TRIES = 5;
  private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(1);

  private Joining() {}

  /**
   * @param scope who may move what we may not, if the group is in a scope of somebody's
   */
  static void move(List<Branch> branches, long pid, @Nullable Scope scope) throws IOException {
    String text = Long.toString(pid);
    List<String> former = branches.size() > 1 ? places(pid) : List.of();
    for (int i = 0; i < branches.size(); i++) {
      int errno = write(branches.get(i).directory(), text);
      if (errno == Errno.EACCES && scope != null && branches.get(i).unified()) {
        scope.attach(branches.get(i).path(), pid);
        continue;
      }
      if (errno == Errno.ESRCH) {
        return; // it has ended: nothing to contain
      }
      if (errno != 0) {
        IOException failure =
            new SystemCallException(
                "write", branches.get(i).path().resolve(FILE).toString(), errno);
        for (int moved = i - 1; moved >= 0; moved--) {
          moveBack(branches.get(moved).hierarchy(), former, text, failure);
        }
        throw failure;
      }
    }
  }

  /** EINVAL can mean that the process is just being created. */
  static int write(Directory group, String pid) throws IOException {
    int errno = group.tryWrite(FILE, pid);
    for (int tries = 1; errno == Errno.EINVAL && tries < TRIES; tries++) {
      LockSupport.parkNanos(PAUSE);
      errno = group.tryWrite(FILE, pid);
    }
    return errno;
  }

  private static void moveBack(
      Hierarchy hierarchy, List<String> former, String pid, IOException failure) {
    Path place = directory(hierarchy, former);
    if (place == null) {
      return;
    }
    try (Directory directory = Directory.open(place)) {
      directory.write(FILE, pid);
    } catch (IOException second) {
      failure.addSuppressed(second);
    }
  }

  private static List<String> places(long pid) throws IOException {
    try {
      return Files.readAllLines(
          Path.of("/proc", Long.toString(pid), "cgroup"), StandardCharsets.UTF_8);
    } catch (IOException ended) {
      return List.of();
    }
  }

  /**
   * The directory in {@code hierarchy} that {@code /proc/PID/cgroup} names. Its lines (cgroups(7));
   * the path may hold colons:
   *
   * <pre>
   * hierarchy-ID ":" controller-list ":" cgroup-path
   * </pre>
   *
   * v2 has the ID 0 and an empty list. Null if the path lies outside of what the mount shows.
   */
  static @Nullable Path directory(Hierarchy hierarchy, List<String> lines) {
    for (String line : lines) {
      String[] fields = line.split(":", 3);
      if (fields.length < 3) {
        continue;
      }
      boolean same =
          hierarchy.unified()
              ? fields[0].equals("0") && fields[1].isEmpty()
              : Set.of(fields[1].split(",", -1)).equals(hierarchy.controllers());
      if (same) {
        String root = hierarchy.root().equals("/") ? "" : hierarchy.root();
        String path = fields[2];
        if (!path.startsWith(root) || path.contains("/..")) {
          return null;
        }
        String below = path.substring(root.length());
        if (!below.isEmpty() && !below.startsWith("/")) {
          return null;
        }
        return below.length() <= 1
            ? hierarchy.mount()
            : hierarchy.mount().resolve(RawText.path(below.substring(1)));
      }
    }
    return null;
  }
}
