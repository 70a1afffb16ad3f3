package dev.holdfast.containment;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.Files;
import dev.holdfast.linux.StartRequest;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What children join a job's group by: the v2 directory, which they are cloned into; the {@code
 * tasks} of v1 groups, which they write to themselves; and the files of pids, which does not stop
 * anybody from joining by write, so that the child looks after it has.
 *
 * <p>Opened at the first start, so a job that fails to get its limits pays for none. Thread-safe;
 * closing while a start uses the numbers is the owner's matter.
 */
final class JoinDescriptors implements AutoCloseable {
  private final Cgroup group;
  private final List<Descriptor> tasks = new ArrayList<>();
  private @Nullable Directory unified;
  private @Nullable Descriptor unifiedProcs;
  private @Nullable Descriptor pidsCurrent;
  private @Nullable Descriptor pidsMax;
  private boolean opened;
  private boolean closed;

  JoinDescriptors(Cgroup group) {
    this.group = group;
  }

  /**
   * Tells a start where to join.
   *
   * @param byWrite whether the v2 group is joined by write too
   */
  synchronized void addTo(StartRequest request, boolean byWrite) throws IOException {
    if (closed) {
      throw new IOException("the job is closed");
    }
    Path v2 = group.unifiedDirectory().orElse(null);
    try {
      open(v2);
      for (Descriptor file : tasks) {
        request.join(file);
      }
      if (v2 != null) {
        toUnified(request, v2, byWrite);
      }
    } catch (SystemCallException refused) {
      throw cannotJoin(refused);
    }
    if (pidsCurrent != null && pidsMax != null && (byWrite || isOnV1(v2))) {
      request.checkPids(pidsCurrent, pidsMax);
    }
  }

  /** Has a start that was killed when it was cloned into the group join it by write instead. */
  synchronized void byWriteInstead(StartRequest request) throws IOException {
    Path v2 = group.unifiedDirectory().orElse(null);
    if (v2 != null) {
      try {
        toUnified(request.cloneInto(null), v2, true);
      } catch (SystemCallException refused) {
        throw cannotJoin(refused);
      }
      if (pidsCurrent != null && pidsMax != null) {
        request.checkPids(pidsCurrent, pidsMax);
      }
    }
  }

  private static HoldfastException cannotJoin(SystemCallException refused) {
    String remedy =
        switch (refused.errno()) {
          case Errno.ENOENT, Errno.ENODEV -> "somebody removed the job's group; open another job";
          case Errno.EMFILE, Errno.ENFILE -> "raise the limit of open files";
          case Errno.EROFS -> "have the cgroup filesystem mounted writable";
          default -> "have a cgroup subtree delegated to this user: see holdfast doctor";
        };
    return new HoldfastException(
        "cannot start in the job", String.valueOf(refused.getMessage()), remedy, refused);
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (unified != null) {
      unified.close();
    }
    for (Descriptor file : tasks) {
      file.close();
    }
    for (Descriptor file : new @Nullable Descriptor[] {unifiedProcs, pidsCurrent, pidsMax}) {
      if (file != null) {
        file.close();
      }
    }
  }

  private void open(@Nullable Path v2) throws IOException {
    if (unified == null && v2 != null) {
      unified = Directory.open(v2);
    }
    // A group may come into further hierarchies as long as it lives.
    List<Path> directories = group.v1Directories();
    while (tasks.size() < directories.size()) {
      tasks.add(Files.writeExisting(directories.get(tasks.size()).resolve("tasks")));
    }
    if (!opened) {
      Path pids = group.directory("pids").orElse(null);
      if (pids != null) {
        if (pidsCurrent == null) {
          pidsCurrent = Files.readIfPresent(pids.resolve("pids.current"));
        }
        pidsMax = Files.readIfPresent(pids.resolve("pids.max"));
      }
      opened = true;
    }
  }

  private void toUnified(StartRequest request, Path v2, boolean byWrite) throws IOException {
    if (!byWrite && unified != null) {
      request.cloneInto(unified.descriptor());
      return;
    }
    Descriptor procs = unifiedProcs;
    if (procs == null) {
      unifiedProcs = procs = Files.writeExisting(v2.resolve("cgroup.procs"));
    }
    request.join(procs);
  }

  private boolean isOnV1(@Nullable Path v2) {
    return v2 == null || !group.directory("pids").map(v2::equals).orElse(true);
  }
}
