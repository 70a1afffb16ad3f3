package dev.holdfast.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The processes that come from one JVM, in the kernel's process table: those with a mark in their
 * environment, which whatever a member starts inherits, and those in the JVM's own session, which
 * are its keeper and the children that have not come to their exec. What hides from that is still
 * found by its group, which cannot be removed.
 *
 * @param mark what to give the JVM in its environment, as {@link #VARIABLE}
 * @param jvm the JVM's process, which leads a session
 */
public record Family(String mark, long jvm) {
  public static final String VARIABLE = "HOLDFAST_TEST_FAMILY";

  private static final String KEEPER = "holdfast-keeper";

  /** Of a pid namespace. */
  private static final String FIRST = "holdfast-init";

  /** In the flags of a process: {@code PF_EXITING} in the kernel's sched.h. */
  private static final long EXITING = 4;

  /** Who is alive: a zombie only waits for somebody to reap it. */
  public record Alive(List<Long> members, List<Long> keepers) {
    public boolean isNobody() {
      return members.isEmpty() && keepers.isEmpty();
    }
  }

  /** Without the JVM itself. */
  public Alive alive() {
    Alive alive = new Alive(new ArrayList<>(), new ArrayList<>());
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path entry : entries) {
        long pid = Long.parseLong(entry.getFileName().toString());
        if (pid != jvm) {
          sort(pid, entry, alive);
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return alive;
  }

  private void sort(long pid, Path entry, Alive alive) {
    if (isMarked(entry)) {
      alive.members().add(pid);
      return;
    }
    // 4711 (name) S ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime
    // cutime cstime priority nice num_threads …
    String stat = read(entry.resolve("stat"));
    int end = stat.lastIndexOf(')');
    if (end < 0) {
      return;
    }
    String[] fields = stat.substring(end + 2).split(" ", 19);
    boolean dead = fields[0].equals("Z") || fields[0].equals("X");
    String name = stat.substring(stat.indexOf('(') + 1, end);
    if (name.equals(FIRST) && (Long.parseLong(fields[6]) & EXITING) != 0) {
      // The kernel has ended all others for it, and lets it go when those are reaped, whose parents
      // may be outside: that is the matter of the machine's own first process.
      return;
    }
    if (!dead && fields[3].equals(Long.toString(jvm))) {
      // A child on its way to its exec is called like the keeper, and has the JVM as its parent
      // too;
      // whichever it is, it must be gone.
      (name.equals(KEEPER) ? alive.keepers() : alive.members()).add(pid);
    } else if (dead && Integer.parseInt(fields[17]) > 1 && hasMarkedThread(entry)) {
      alive.members().add(pid);
    }
  }

  /** The first thread has ended, and with it what the process shows of itself. */
  private boolean hasMarkedThread(Path entry) {
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(entry.resolve("task"))) {
      for (Path thread : threads) {
        if (isMarked(thread)) {
          return true;
        }
      }
    } catch (IOException gone) {
      return false;
    }
    return false;
  }

  private boolean isMarked(Path entry) {
    return read(entry.resolve("environ")).contains(VARIABLE + "=" + mark + "\0");
  }

  /** Some of them, for an assertion: in which state, where they wait, and in which groups. */
  public String described() {
    Alive alive = alive();
    List<Long> all = new ArrayList<>(alive.keepers());
    all.addAll(alive.members());
    StringBuilder text = new StringBuilder(all.size() + " processes");
    for (long pid : all.subList(0, Math.min(all.size(), 5))) {
      Path entry = Path.of("/proc", Long.toString(pid));
      text.append(", ").append(read(entry.resolve("stat")).split(" \\d+ \\d+ ", 2)[0]);
      text.append(" in ").append(read(entry.resolve("wchan")));
      text.append(" of ").append(read(entry.resolve("cgroup")).strip().replace('\n', ' '));
    }
    return text.toString();
  }

  /** Ends them, for controls and for what must not be. */
  public void end() {
    Alive left = alive();
    for (List<Long> pids : List.of(left.members(), left.keepers())) {
      pids.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException gone) {
      return "";
    }
  }
}
