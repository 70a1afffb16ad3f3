package dev.holdfast.containment;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.ProcessStatus;
import dev.holdfast.linux.ProcessTable;
import dev.holdfast.linux.RawText;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Who has the lock of an anchor that was refused to us. For flock(2) it is enough to have the
 * directory open, so any member may wait for the lock of its own anchor and get it when the owner
 * dies. But an owner (a JVM, its keeper, a sweep) is no member of its own anchor, and has the
 * descriptor open as long as it lives: where no process outside has one, the lock is no owner's.
 *
 * <p>The kernel shows a lock with each descriptor that shares the open file it was taken by
 * (proc_pid_fdinfo(5)); who has taken it with all locks (proc_locks(5)). In doubt there is an
 * owner.
 */
final class LockHolders {
  private static final Path PROC = Path.of("/proc");
  private static final String KEEPER = "holdfast-keeper";
  private static final int SIGKILL = 9;

  /** The kernel gives that of the machine itself this number: PROC_PID_INIT_INO. */
  private static final String INITIAL_NAMESPACE = "pid:[4026531836]";

  private static final Pattern HIDING = Pattern.compile("[ ,](hidepid|subset)=");

  private enum Has {
    YES,
    NO,
    UNKNOWN
  }

  private enum Place {
    INSIDE,
    OUTSIDE,
    GONE
  }

  private final CgroupHost host;
  private final Directory anchor;
  private final String locked;
  private final String hierarchy;
  private final String group;
  private final int owner;

  private LockHolders(
      CgroupHost host, Directory anchor, String locked, String hierarchy, String group, int owner) {
    this.host = host;
    this.anchor = anchor;
    this.locked = locked;
    this.hierarchy = hierarchy;
    this.group = group;
    this.owner = owner;
  }

  /** Those of {@code anchor}'s directory that bears the lock. */
  static LockHolders of(CgroupHost host, Directory anchor) throws IOException {
    Cgroup group = Cgroup.existing(host, List.of(anchor.path()));
    try {
      boolean unified = group.unifiedDirectory().isPresent();
      String path = group.paths().get(unified ? "unified" : "freezer");
      if (path == null) {
        throw new IOException(anchor + " is in no hierarchy that tells who is a member");
      }
      return new LockHolders(
          host, anchor, nameOf(anchor), unified ? "" : "freezer", path, anchor.status().owner());
    } finally {
      group.leave();
    }
  }

  /** As locks name an open directory: {@code 00:25:4711}, the device in hexadecimal. */
  private static String nameOf(Directory directory) throws IOException {
    Path open = PROC.resolve("self/fd/" + directory.descriptor().number());
    long device = (Long) Files.getAttribute(open, "unix:dev");
    // dev_t of the C library: the minor number's lowest byte comes first, then twelve bits of the
    // major one.
    long major = (device >>> 8 & 0xfff) | (device >>> 32 & ~0xfffL);
    long minor = (device & 0xff) | (device >>> 12 & ~0xffL);
    return String.format("%02x:%02x:%d", major, minor, (Long) Files.getAttribute(open, "unix:ino"));
  }

  /**
   * Whether somebody may have the lock who is no member. Mostly an owner lives, took the lock
   * itself, and that is all there is to be looked at; else it is all processes.
   *
   * <p>An owner has the lock before this begins and after it has ended, so no look at it is at the
   * wrong moment. A child that the keeper has just cloned has copies of the keeper's descriptors,
   * but the keeper has them too.
   */
  boolean mayBeOwners() throws IOException {
    if (place("self") == Place.INSIDE) {
      return true; // whoever runs us there need not be seen by us
    }
    List<String> takers = takers();
    for (String taker : takers) {
      if (has(taker) != Has.NO && place(taker) == Place.OUTSIDE) {
        return true;
      }
    }
    if (!seesAll() && !areMembers(takers)) {
      return true;
    }
    for (String process : processes()) {
      if (mayBeOwner(process)) {
        return true;
      }
    }
    return false;
  }

  /**
   * An owner that we do not see is in a pid namespace above ours, and then we are not told that it
   * has taken the lock; or it is hidden by the options of /proc, and then that it is a member.
   */
  private boolean areMembers(List<String> takers) {
    return !takers.isEmpty() && takers.stream().allMatch(taker -> place(taker) == Place.INSIDE);
  }

  private boolean mayBeOwner(String process) {
    return switch (has(process)) {
      case NO -> false;
      case YES -> place(process) == Place.OUTSIDE;
      case UNKNOWN -> place(process) == Place.OUTSIDE && couldBeKeeper(process);
    };
  }

  /** Kills the members that are seen to have the lock; how many. */
  int killMembers() throws IOException {
    int killed = 0;
    for (String process : processes()) {
      if (isHolder(process)) {
        try (Pidfd pinned = Pidfd.openIfPresent(Integer.parseInt(process))) {
          // Looked at again, since the number may be another's by now.
          if (pinned != null && isHolder(process) && pinned.signal(SIGKILL)) {
            killed++;
          }
        }
      }
    }
    return killed;
  }

  private boolean isHolder(String process) {
    return has(process) == Has.YES && place(process) == Place.INSIDE;
  }

  /**
   * The processes that took it; one that has ended is not told of in other pid namespaces than the
   * machine's. A line with {@code ->} is of one that waits.
   *
   * <pre>
   * 1: FLOCK  ADVISORY  WRITE 4711 00:25:21634246 0 EOF
   * 1: -> FLOCK  ADVISORY  WRITE 4712 00:25:21634246 0 EOF
   * </pre>
   */
  private List<String> takers() {
    List<String> takers = new ArrayList<>();
    String locks;
    try {
      locks = read(PROC.resolve("locks"));
    } catch (IOException hidden) {
      return takers;
    }
    for (String line : locks.lines().toList()) {
      String[] words = line.strip().split(" +", -1);
      if (words.length > 5 && words[1].equals("FLOCK") && words[5].equals(locked)) {
        takers.add(words[4]);
      }
    }
    return takers;
  }

  /**
   * Whether {@code process} has a descriptor of it. Threads share their descriptors; but where the
   * first one has ended, it has none to show for the others.
   */
  private Has has(String process) {
    Path directory = PROC.resolve(process);
    boolean some = false;
    boolean unknown = false;
    try (DirectoryStream<Path> descriptors =
        Files.newDirectoryStream(directory.resolve("fdinfo"))) {
      for (Path descriptor : descriptors) {
        some = true;
        try {
          if (tells(read(descriptor))) {
            return Has.YES;
          }
        } catch (NoSuchFileException closed) {
          // It is not open any more.
        } catch (IOException refused) {
          unknown = true;
        }
      }
    } catch (IOException | DirectoryIteratorException refused) {
      unknown = true;
    }
    return some && !unknown ? Has.NO : ofClosed(directory, unknown);
  }

  private static Has ofClosed(Path process, boolean refused) {
    try {
      String status = read(process.resolve("status"));
      boolean ended = field(status, "State:").startsWith("Z");
      boolean alone = List.of("0", "1", "").contains(field(status, "Threads:"));
      return ended ? (alone ? Has.NO : Has.UNKNOWN) : (refused ? Has.UNKNOWN : Has.NO);
    } catch (NoSuchFileException gone) {
      return Has.NO;
    } catch (IOException unreadable) {
      return Files.exists(process) ? Has.UNKNOWN : Has.NO;
    }
  }

  /** {@code lock:\t1: FLOCK ADVISORY WRITE 4711 00:25:21634246 0 EOF}. */
  private boolean tells(String descriptor) {
    return descriptor
        .lines()
        .filter(line -> line.startsWith("lock:"))
        .map(line -> Arrays.asList(line.split("\\s+", -1)))
        .anyMatch(words -> words.contains("FLOCK") && words.contains(locked));
  }

  /**
   * Whether one whose descriptors we may not see could be an owner's keeper: a JVM, and a sweep,
   * has taken the lock itself. An anchor belongs to the user who has made it, whose keeper bears
   * its name.
   */
  private boolean couldBeKeeper(String process) {
    try {
      String status = read(PROC.resolve(process).resolve("status"));
      return field(status, "Name:").equals(KEEPER)
          && Arrays.asList(field(status, "Uid:").split("\\s+", -1))
              .contains(Integer.toUnsignedString(owner));
    } catch (NoSuchFileException gone) {
      return false;
    } catch (IOException refused) {
      return Files.exists(PROC.resolve(process));
    }
  }

  private static String field(String status, String name) {
    String value = ProcessStatus.field(status, name);
    return value == null ? "" : value;
  }

  /**
   * Where {@code process} is, as {@code /proc/PID/cgroup} tells, which everybody may read:
   *
   * <pre>
   * 0::/path                    v2
   * 7:cpu,cpuacct:/path         v1
   * </pre>
   *
   * <p>It cannot be read where the path is longer than any path may be; then we look whether the
   * anchor's groups name the process.
   */
  private Place place(String process) {
    String groups;
    try {
      groups = read(PROC.resolve(process).resolve("cgroup"));
    } catch (NoSuchFileException gone) {
      return Place.GONE;
    } catch (IOException refused) {
      return Files.exists(PROC.resolve(process)) ? placeByGroups(process) : Place.GONE;
    }
    for (String line : groups.lines().toList()) {
      String[] parts = line.split(":", 3);
      if (parts.length == 3 && Arrays.asList(parts[1].split(",", -1)).contains(hierarchy)) {
        boolean inside = parts[2].equals(group) || parts[2].startsWith(group + "/");
        return inside ? Place.INSIDE : Place.OUTSIDE;
      }
    }
    return Place.OUTSIDE;
  }

  private Place placeByGroups(String process) {
    try {
      Cgroup members = Cgroup.existing(host, List.of(anchor.path()));
      try {
        return members.members().contains(Long.valueOf(process)) ? Place.INSIDE : Place.OUTSIDE;
      } finally {
        members.leave();
      }
    } catch (IOException | NumberFormatException unknown) {
      return Place.OUTSIDE;
    }
  }

  /**
   * Whether every process of the machine is shown to us: we are in its first pid namespace, and
   * /proc has no option ({@code hidepid}, {@code subset}) that hides some.
   */
  private static boolean seesAll() {
    try {
      String namespace = Files.readSymbolicLink(PROC.resolve("self/ns/pid")).toString();
      return namespace.equals(INITIAL_NAMESPACE)
          && read(PROC.resolve("self/mountinfo"))
              .lines()
              .noneMatch(line -> line.contains(" - proc ") && HIDING.matcher(line).find());
    } catch (IOException hidden) {
      return false;
    }
  }

  private static List<String> processes() throws IOException {
    return new ProcessTable(PROC).numbers().stream().map(String::valueOf).toList();
  }

  private static String read(Path file) throws IOException {
    return RawText.text(Files.readAllBytes(file));
  }
}
