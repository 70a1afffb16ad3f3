package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
    List<OwnCgroups.Entry> former = branches.size() > 1 ? places(pid) : List.of();
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
      Hierarchy hierarchy, List<OwnCgroups.Entry> former, String pid, IOException failure) {
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

  private static List<OwnCgroups.Entry> places(long pid) {
    Path file = Path.of("/proc", Long.toString(pid), "cgroup");
    try {
      String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
      return OwnCgroups.parse(file.toString(), text);
    } catch (IOException ended) {
      return List.of();
    }
  }

  /** The directory in {@code hierarchy}; null if the mount does not show it. */
  static @Nullable Path directory(Hierarchy hierarchy, List<OwnCgroups.Entry> places) {
    for (OwnCgroups.Entry place : places) {
      if (place.unified() == hierarchy.unified()
          && (place.unified() || place.controllers().equals(hierarchy.controllers()))) {
        return place.directory(hierarchy.mount(), hierarchy.root()).orElse(null);
      }
    }
    return null;
  }
}
