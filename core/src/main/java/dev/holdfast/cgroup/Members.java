package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The processes of a group and of those nested in it, at one moment.
 *
 * @param pids those that have a number in our pid namespace
 * @param hidden how many have none: the kernel shows them as 0
 * @param whole whether there was the time to look for all that were asked for
 */
record Members(List<Long> pids, int hidden, boolean whole) {
  static final Members NONE = new Members(List.of(), 0, true);

  int count() {
    return pids.size() + hidden;
  }

  /** All of them. */
  static Members of(Directory top) throws IOException {
    Members members = some(top);
    if (!members.whole) {
      throw notWhole(top);
    }
    return members;
  }

  /**
   * As many as {@link Nested#walk} comes to, those of {@code top} itself at least. A group that
   * vanishes meanwhile has no members.
   */
  static Members some(Directory top) throws IOException {
    Reader reader = new Reader(false);
    return reader.found(Nested.walk(top, reader));
  }

  /** As {@link #some}, until {@code deadline}. */
  static Members until(Directory top, long deadline) throws IOException {
    Reader reader = new Reader(false);
    return reader.found(Nested.walkUntil(top, reader, deadline));
  }

  /** One or more, if there are any; {@code deadline} is as in {@link Nested#walk}. */
  static Members any(Directory top, long deadline) throws IOException {
    Reader reader = new Reader(true);
    return reader.found(Nested.walk(top, reader, deadline));
  }

  /** Those in {@code group} itself. */
  static Set<Long> in(Directory group) throws IOException {
    Reader reader = new Reader(false);
    reader.at(group);
    return reader.pids;
  }

  static HoldfastException notWhole(Directory top) {
    return new HoldfastException(
        "cannot read the members of " + top.path(),
        "after " + Nested.PATIENCE.toSeconds() + " s there still are groups in it to look at",
        "freeze or kill the members: they may make groups faster than those are read",
        null);
  }

  private static final class Reader implements Nested.Visitor {
    private final boolean first;
    private final Set<Long> pids = new LinkedHashSet<>();
    private int hidden;

    /** Of all of them, or until it has found the {@code first}. */
    Reader(boolean first) {
      this.first = first;
    }

    Members found(boolean whole) {
      return new Members(List.copyOf(pids), hidden, whole);
    }

    @Override
    public boolean isDone() {
      return first && (hidden > 0 || !pids.isEmpty());
    }

    @Override
    public void at(Directory group) throws IOException {
      String processes = read(group, "cgroup.procs");
      if (processes != null) {
        for (String line : processes.lines().toList()) {
          add(number(group, "cgroup.procs", line));
        }
        return;
      }
      // The kernel answers EOPNOTSUPP in a threaded group: a process may be in several of them.
      String threads = read(group, "cgroup.threads");
      if (threads != null) {
        for (String line : threads.lines().toList()) {
          add(processOf(number(group, "cgroup.threads", line)));
        }
      }
    }

    private static long number(Directory group, String file, String line) throws HoldfastException {
      long number = ProcText.number(line);
      if (number < 0) {
        throw new HoldfastException(
            "cannot read the members of " + group.path(),
            file + " has a line that is no process: \"" + line + "\"",
            "please report this with the whole file",
            null);
      }
      return number;
    }

    private static @Nullable String read(Directory group, String file) throws IOException {
      try {
        return group.readIfPresent(file);
      } catch (IOException failure) {
        if (Refusal.errno(failure) != Errno.EACCES) {
          throw failure;
        }
        group.mode(file, 0644);
        return group.readIfPresent(file);
      }
    }

    private void add(long pid) {
      if (pid == 0) {
        hidden++;
      } else if (pid > 0) {
        pids.add(pid);
      }
    }

    /** {@code Tgid:\tPID} in {@code /proc/TID/status}; -1 if the thread has ended. */
    private static long processOf(long thread) {
      if (thread == 0) {
        return 0;
      }
      try {
        for (String line :
            Files.readAllLines(
                Path.of("/proc", Long.toString(thread), "status"), StandardCharsets.ISO_8859_1)) {
          if (line.startsWith("Tgid:")) {
            return ProcText.number(line.substring(5).strip());
          }
        }
      } catch (IOException ended) {
        return -1;
      }
      return -1;
    }
  }
}
