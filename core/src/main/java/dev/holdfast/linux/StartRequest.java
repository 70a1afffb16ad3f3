package dev.holdfast.linux;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What the keeper is asked to start: the fields of {@code start_request} in {@code
 * native/protocol.h}, with the descriptors that travel with it. A plain carrier, filled by one
 * thread; it owns none of the descriptors.
 */
public final class StartRequest {
  static final int BLOCK_IN_MEMFD = 1;
  static final int CLONE_INTO = 1 << 1;
  static final int CHECK_PIDS = 1 << 2;
  static final int SESSION = 1 << 3;
  static final int GROUP = 1 << 4;
  static final int UMASK = 1 << 5;
  static final int NICE = 1 << 6;
  static final int DIRECTORY = 1 << 7;
  static final int GROUPS = 1 << 8;
  static final int GID = 1 << 9;
  static final int UID = 1 << 10;
  static final int NO_NEW_PRIVS = 1 << 11;
  static final int KEEP_IGNORED = 1 << 12;
  static final int OOM_SCORE = 1 << 13;
  static final int HOLD = 1 << 14;
  static final int ENTER = 1 << 15;
  static final int ENTER_USER = 1 << 16;

  /** One resource limit, as {@code setrlimit(2)} takes it; −1 is infinity. */
  public record ResourceLimit(int resource, long soft, long hard) {}

  int flags = SESSION;
  int processGroup;
  int umask;
  int nice;
  int oomScoreAdj;
  int uid;
  int gid;
  int[] groups = {};
  List<ResourceLimit> resourceLimits = List.of();
  byte @Nullable [] directory;
  private byte[] wholeDirectory = {'/'};
  final List<byte[]> candidates = new ArrayList<>();
  final List<byte[]> arguments = new ArrayList<>();
  final List<byte[]> environment = new ArrayList<>();

  private int[] streams = {};
  private @Nullable Descriptor cgroup;
  private @Nullable Descriptor pidsCurrent;
  private @Nullable Descriptor pidsMax;
  private @Nullable Descriptor first;
  private final List<Descriptor> joins = new ArrayList<>();

  /** Paths to try in order, as execvp(3) does with PATH. */
  public StartRequest candidates(List<byte[]> paths) {
    candidates.addAll(paths);
    return this;
  }

  /** The arguments, the zeroth (the program's own name) included. */
  public StartRequest arguments(List<byte[]> values) {
    arguments.addAll(values);
    return this;
  }

  /** {@code NAME=value} entries. */
  public StartRequest environment(List<byte[]> entries) {
    environment.addAll(entries);
    return this;
  }

  /**
   * Where the child goes. It begins where we are: it has that from the keeper, whatever path leads
   * there.
   */
  public StartRequest directory(byte[] path) {
    directory = path;
    flags |= DIRECTORY;
    return this;
  }

  /** The same from the root, where a child begins that enters a mount namespace. */
  public StartRequest wholeDirectory(byte[] path) {
    wholeDirectory = path;
    return this;
  }

  public StartRequest umask(int mask) {
    umask = mask;
    flags |= UMASK;
    return this;
  }

  /** The nice value itself, from −20 to 19. */
  public StartRequest nice(int value) {
    nice = value;
    flags |= NICE;
    return this;
  }

  /** The value of {@code /proc/PID/oom_score_adj}, −1000 to 1000. */
  public StartRequest oomScoreAdj(int value) {
    oomScoreAdj = value;
    flags |= OOM_SCORE;
    return this;
  }

  public StartRequest user(int id) {
    uid = id;
    flags |= UID;
    return this;
  }

  public StartRequest group(int id) {
    gid = id;
    flags |= GID;
    return this;
  }

  /** The supplementary groups. */
  public StartRequest groups(int[] ids) {
    groups = ids.clone();
    flags |= GROUPS;
    return this;
  }

  public StartRequest resourceLimits(List<ResourceLimit> limits) {
    resourceLimits = List.copyOf(limits);
    return this;
  }

  /**
   * Adds one, unless there is one for the same resource already: false then. What we inherited is
   * not loosened, which the kernel would refuse us.
   */
  public boolean tighten(int resource, long value) throws SystemCallException {
    for (ResourceLimit limit : resourceLimits) {
      if (limit.resource() == resource) {
        return false;
      }
    }
    List<ResourceLimit> limits = new ArrayList<>(resourceLimits);
    limits.add(OwnLimits.of(resource).tightened(value));
    resourceLimits = List.copyOf(limits);
    return true;
  }

  /** Whom the child runs as; empty for our own user. */
  public OptionalInt user() {
    return (flags & UID) == 0 ? OptionalInt.empty() : OptionalInt.of(uid);
  }

  /** Joins this process group of our own POSIX session, instead of leading a session of its own. */
  public StartRequest joinProcessGroup(int id) {
    flags = (flags & ~SESSION) | GROUP;
    processGroup = id;
    return this;
  }

  public StartRequest noNewPrivileges() {
    flags |= NO_NEW_PRIVS;
    return this;
  }

  /** For a child in no group: the keeper ends it, its session and descendants when we are gone. */
  public StartRequest hold() {
    flags |= HOLD;
    return this;
  }

  /**
   * The child comes to be in the pid namespace whose first process this pidfd is of, and in its
   * mount namespace.
   *
   * @param user whether in its user namespace too
   */
  StartRequest enter(Descriptor pidfd, boolean user) {
    first = pidfd;
    flags = (flags & ~ENTER_USER) | ENTER | (user ? ENTER_USER : 0);
    return directory(wholeDirectory);
  }

  /** Whether the child is to be somebody else than we are. */
  public boolean changesIdentity() {
    return (flags & (UID | GID | GROUPS)) != 0;
  }

  /** Whether the child leads a POSIX session of its own. */
  public boolean leads() {
    return (flags & SESSION) != 0;
  }

  /** Leaves SIGHUP, SIGINT and SIGQUIT ignored where we inherited them so: {@code nohup}. */
  public StartRequest keepIgnoredSignals() {
    flags |= KEEP_IGNORED;
    return this;
  }

  /** Numbers of the descriptors that become 0, 1 and 2. */
  public StartRequest streams(int stdin, int stdout, int stderr) {
    streams = new int[] {stdin, stdout, stderr};
    return this;
  }

  /** The v2 group that the child is cloned into: an opened directory; null for none. */
  public StartRequest cloneInto(@Nullable Descriptor directory) {
    cgroup = directory;
    flags = directory == null ? flags & ~CLONE_INTO : flags | CLONE_INTO;
    return this;
  }

  /**
   * A {@code tasks} or {@code cgroup.procs} file opened for writing: the child joins through it
   * before exec.
   */
  public StartRequest join(Descriptor file) {
    joins.add(file);
    return this;
  }

  /** Joining by write ignores {@code pids.max}: the child compares these two after it joined. */
  public StartRequest checkPids(Descriptor current, Descriptor max) {
    pidsCurrent = current;
    pidsMax = max;
    flags |= CHECK_PIDS;
    return this;
  }

  int joinCount() {
    return joins.size();
  }

  /** The descriptors in the order of the protocol. */
  int[] descriptors(int status, @Nullable Descriptor block) throws IOException {
    if (streams.length != 3) {
      throw new IllegalStateException("a start needs its three streams");
    }
    List<Integer> all = new ArrayList<>();
    all.add(status);
    for (int stream : streams) {
      all.add(stream);
    }
    if (block != null) {
      all.add(block.number());
    }
    if (cgroup != null) {
      all.add(cgroup.number());
    }
    if (pidsCurrent != null && pidsMax != null) {
      all.add(pidsCurrent.number());
      all.add(pidsMax.number());
    }
    if (first != null) {
      all.add(first.number());
    }
    for (Descriptor join : joins) {
      all.add(join.number());
    }
    return all.stream().mapToInt(Integer::intValue).toArray();
  }
}
