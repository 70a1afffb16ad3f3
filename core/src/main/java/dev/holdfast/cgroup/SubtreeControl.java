package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/** {@code cgroup.subtree_control}: which controllers the groups inside a v2 group have. */
final class SubtreeControl {
  private static final String FILE = "cgroup.subtree_control";
  private static final List<String> WANTED =
      List.of("memory", "cpu", "pids", "io", "cpuset", "hugetlb");
  private static final int TRIES = 6;
  private static final long FIRST_PAUSE = TimeUnit.MILLISECONDS.toNanos(1);

  private SubtreeControl() {}

  /** Enables what is offered and missing; returns what the kernel refused, and why. */
  static Map<String, Absence> enable(Directory group) throws IOException {
    Set<String> offered = words(group.read("cgroup.controllers"));
    // A redundant write can give EBUSY.
    Set<String> enabled = words(group.read(FILE));
    List<String> missing = new ArrayList<>(WANTED);
    missing.removeIf(controller -> !offered.contains(controller) || enabled.contains(controller));
    Map<String, Absence> refused = new LinkedHashMap<>();
    // The write is all or nothing: the culprit is found one by one.
    if (!missing.isEmpty() && write(group, missing) != 0) {
      for (String controller : missing) {
        int errno = write(group, List.of(controller));
        if (errno != 0) {
          refused.put(controller, absence(group, controller, errno));
        }
      }
    }
    return refused;
  }

  private static int write(Directory group, List<String> controllers) throws IOException {
    String text = controllers.stream().map(c -> "+" + c).collect(Collectors.joining(" "));
    int errno = group.tryWrite(FILE, text);
    long pause = FIRST_PAUSE;
    // Processes that were just moved away can still count for a moment.
    for (int tries = 1; errno == Errno.EBUSY && tries < TRIES; tries++) {
      LockSupport.parkNanos(pause);
      pause *= 2;
      errno = group.tryWrite(FILE, text);
    }
    return errno;
  }

  private static Absence absence(Directory group, String controller, int errno) {
    String reason =
        new SystemCallException(
                "write +" + controller, group.path().resolve(FILE).toString(), errno)
            .getMessage();
    String remedy =
        switch (errno) {
          case Errno.EBUSY -> "move the processes that are in " + group + " itself into a leaf";
          case Errno.EINVAL -> "make real-time processes normal ones before enabling " + controller;
          case Errno.ENOENT -> "enable " + controller + " in the group above";
          default -> Refusal.remedy(errno);
        };
    return new Absence(String.valueOf(reason), remedy);
  }

  private static Set<String> words(String text) {
    return Set.of(text.strip().split("\\s+"));
  }
}
