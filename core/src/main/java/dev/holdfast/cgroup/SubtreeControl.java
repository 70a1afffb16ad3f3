package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Enables controllers for the groups below a v2 group. */
final class SubtreeControl {
  /** What we have a use for. */
  static final Set<String> WANTED = Set.of("memory", "cpu", "pids", "io");

  private static final String FILE = "cgroup.subtree_control";
  private static final long BUSY_NANOS = 200_000_000;
  private static final long PAUSE_NANOS = 2_000_000;

  private SubtreeControl() {}

  /**
   * Enables what is wanted, offered and missing; nothing is written if nothing is missing, as even
   * that can fail.
   *
   * @param top whether it is the real root, which may have processes
   * @param moved whether processes were just moved out of it
   * @return why not, for each that could not be enabled
   */
  static Map<String, Absence> enable(Path base, boolean top, boolean moved)
      throws HoldfastException {
    return enable(base, top, moved, WANTED);
  }

  /** As above, of these controllers. */
  static Map<String, Absence> enable(Path base, boolean top, boolean moved, Set<String> wanted)
      throws HoldfastException {
    try (Directory group = Directory.open(base)) {
      List<String> missing = missing(group, wanted);
      if (missing.isEmpty()) {
        return Map.of();
      }
      if (isHeld(group, top)) {
        return held(base, missing);
      }
      long deadline = System.nanoTime() + (moved ? BUSY_NANOS : 0);
      // The kernel takes all or nothing.
      if (write(group, missing, deadline) == null) {
        return Map.of();
      }
      if (isHeld(group, top)) {
        return held(base, missing);
      }
      Map<String, Absence> absences = new TreeMap<>();
      for (String controller : missing) {
        SystemCallException error = write(group, List.of(controller), deadline);
        if (error != null) {
          absences.put(controller, absence(base, controller, error));
        }
      }
      return absences;
    } catch (IOException unreadable) {
      throw Refusal.ofDelegation("Cannot enable controllers below " + base, unreadable);
    }
  }

  /** Whether processes in {@code place} stand in the way of controllers that could be enabled. */
  static boolean isInTheWay(Place place, Set<String> wanted) throws IOException {
    try (Directory group = Directory.open(place.base())) {
      return !missing(group, wanted).isEmpty() && isHeld(group, place.top());
    }
  }

  private static List<String> missing(Directory group, Set<String> wanted) throws IOException {
    List<String> missing = new ArrayList<>(new TreeSet<>(wanted));
    missing.retainAll(words(group, "cgroup.controllers"));
    missing.removeAll(words(group, FILE));
    return missing;
  }

  /**
   * Whether processes in the group forbid it. Not all refusals come from the kernel: it would let
   * cpu and pids pass, and make the group the root of a threaded subtree, below which no group can
   * hold processes ("Threads" in the kernel's cgroup-v2 document).
   */
  private static boolean isHeld(Directory group, boolean top) throws IOException {
    return !top && !group.read("cgroup.procs").isBlank();
  }

  private static Map<String, Absence> held(Path base, List<String> controllers) {
    Absence absence =
        new Absence(
            base + " holds processes itself, so groups below it get no controllers",
            DelegationProbe.remedy(false));
    return controllers.stream().collect(Collectors.toMap(controller -> controller, c -> absence));
  }

  private static @Nullable SystemCallException write(
      Directory group, List<String> controllers, long deadline) throws IOException {
    String text = controllers.stream().map("+"::concat).collect(Collectors.joining(" "));
    while (true) {
      try {
        group.write(FILE, text);
        return null;
      } catch (SystemCallException e) {
        // EBUSY right after a move: the kernel has no event for "can be had now".
        if (e.errno() != Errno.EBUSY || System.nanoTime() - deadline >= 0) {
          return e;
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private static Absence absence(Path base, String controller, SystemCallException error) {
    String why =
        switch (error.errno()) {
          case Errno.ENOENT -> "the group above does not offer it any more";
          case Errno.EOPNOTSUPP -> base + " is part of a threaded subtree";
          case Errno.EBUSY -> base + " holds processes itself, or the controller is in use on v1";
          case Errno.EINVAL ->
              controller.equals("cpu")
                  ? "the kernel refuses it while real-time tasks are in groups below the root"
                  : "the kernel does not know it there";
          default -> "the kernel refuses it";
        };
    return new Absence(
        "cannot enable " + controller + ", " + why + ": " + error.getMessage(),
        Refusal.isOfOurs(error.errno())
            ? Refusal.remedy(error.errno())
            : "write +"
                + controller
                + " to "
                + base.resolve(FILE)
                + " by hand to see what is in the way");
  }

  private static List<String> words(Directory group, String file) throws IOException {
    return Arrays.stream(group.read(file).strip().split("\\s+", -1))
        .filter(word -> !word.isEmpty())
        .toList();
  }
}
