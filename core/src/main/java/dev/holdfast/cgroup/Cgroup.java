package dev.holdfast.cgroup;

import dev.holdfast.linux.Deadline;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.RawText;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One control group: a directory of the same name in every hierarchy in use. On v2 that is one
 * directory; on a hybrid host the v2 one holds the members, and v1 ones beside it hold the
 * controllers; on v1 there is one for each controller.
 *
 * <p>It was made by us, and {@link #close} ends what is in it and removes it. Every method but
 * {@link #remove}, {@link #kill}, {@link #close}, {@link #members}, {@link #isPopulated} and {@link
 * #awaitEmpty}, for which a removed group is an empty one, fails once it is removed.
 *
 * <p>Thread-safe. Failures are {@link HoldfastException}s that name the file and the kernel's
 * error.
 */
public final class Cgroup implements AutoCloseable {
  /** How long {@link #close} waits for the members' end. */
  private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(10);

  private static final Duration REMOVE_PATIENCE = Duration.ofMinutes(1);

  private static final int SIGKILL = 9;

  /** The controllers that every group has, where the machine does. */
  public static final Set<String> USUAL = Set.of("memory", "cpu", "pids");

  private final String name;

  /** What every group has; those nested in this one have the same. */
  private final Branches usual;

  private final List<Place> places;
  private final Branch membership;
  private final Ending ending;
  private final Watching watching;
  private volatile Branches branches;
  private final Limiting limiting;
  private volatile Map<String, Absence> childAbsences;
  private final @Nullable Cgroup parent;
  private final @Nullable Scope scope;
  private volatile @Nullable StatisticsFiles statistics;
  private final Gate gate;
  private final Object removing = new Object();

  private Cgroup(
      String name,
      List<Branch> branches,
      List<Place> places,
      Map<String, Absence> absences,
      Earlier earlier,
      @Nullable Cgroup parent,
      @Nullable Scope scope) {
    this.name = name;
    this.usual = new Branches(branches);
    this.branches = usual;
    this.places = places;
    this.membership = usual.membership();
    this.ending = new Ending(membership, () -> this.branches.v1With("freezer"));
    this.watching = new Watching(name, () -> this.branches);
    this.limiting = new Limiting(name, usual, absences, earlier);
    this.childAbsences = limiting.absences();
    this.parent = parent;
    this.scope = scope;
    this.gate = new Gate(() -> this.branches.all().forEach(Branch::close));
  }

  /** As below, for a group that is to be asked for its usage. */
  static Cgroup create(List<Place> places, String name, Map<String, Absence> absences)
      throws HoldfastException {
    return create(places, name, absences, true, null);
  }

  /**
   * Makes the group {@code name} in each of {@code places} that is writable and that we use.
   *
   * @param absences why controllers that no place offers are missing
   * @param sums whether it is to be asked for its usage
   * @param scope the scope of somebody's that the places are in
   */
  static Cgroup create(
      List<Place> places,
      String name,
      Map<String, Absence> absences,
      boolean sums,
      @Nullable Scope scope)
      throws HoldfastException {
    GroupName.check(name);
    try {
      List<Branch> made = Hierarchies.make(places, name, sums);
      return new Cgroup(name, made, List.copyOf(places), absences, Earlier.NONE, null, scope);
    } catch (IOException failure) {
      throw Refusal.of("cannot make the group " + name, failure);
    }
  }

  /**
   * Takes over a group that is there already, such as one that a process left behind when it died:
   * {@link #close} ends what is in it and removes it, as with one that we made.
   *
   * @param directories its directory in each hierarchy where it has one; all are called alike
   * @throws HoldfastException if one of them is no group below the top of a hierarchy of {@code
   *     host}, or cannot be opened
   */
  public static Cgroup existing(CgroupHost host, List<Path> directories) throws HoldfastException {
    Path last = directories.getFirst().getFileName();
    if (last == null || !directories.stream().allMatch(path -> path.endsWith(last))) {
      throw new IllegalArgumentException("not one group: " + directories);
    }
    String name = RawText.text(last);
    try {
      List<Branch> opened = Hierarchies.open(host, directories);
      return new Cgroup(name, opened, List.of(), Map.of(), Earlier.UNKNOWN, null, null);
    } catch (IOException failure) {
      throw Refusal.of("cannot open the group " + name, failure);
    }
  }

  /**
   * Makes the group {@code name} inside this one. It can have limits of its own only after {@link
   * #enableControllers}.
   *
   * @throws IllegalArgumentException if the name has other characters than letters, digits and
   *     {@code _ . : @ -}, or is one that the kernel's own files could have
   */
  public Cgroup create(String name) throws HoldfastException {
    GroupName.check(name);
    return gate.inside(
        "make the group " + name + " in " + this.name,
        () -> {
          List<Branch> made = Hierarchies.nest(usual, name);
          return new Cgroup(name, made, List.of(), childAbsences, Earlier.NONE, this, scope);
        });
  }

  /**
   * Makes this group one whose children can have limits of their own, where v2 has controllers for
   * that; none of its processes may be in the group itself then. On v1 there is nothing to do.
   *
   * @return the controllers that the kernel refused; a limit that needs one fails with this reason
   */
  public Map<String, Absence> enableControllers() throws HoldfastException {
    return gate.inside(
        "enable controllers in the group " + name,
        () -> {
          if (!membership.unified()) {
            return Map.of();
          }
          Map<String, Absence> refused = SubtreeControl.enable(membership.path(), false, false);
          Map<String, Absence> all = new HashMap<>(limiting.absences());
          all.putAll(refused);
          childAbsences = Map.copyOf(all);
          return refused;
        });
  }

  /**
   * Makes this group one of more controllers than memory, cpu and pids, which every group has: on
   * v2 they are enabled in the groups above; on v1 the group gets a directory in their hierarchies,
   * and its members move there. {@link #apply} does so for the limits it is given; {@code
   * perf_event} and {@code freezer} are of use without limits. What cannot be had is told by {@link
   * #apply}.
   *
   * @param names as v2 has them ({@code io}, not {@code blkio})
   */
  public void use(Set<String> names) throws HoldfastException {
    if (USUAL.containsAll(names)) {
      return;
    }
    gate.inside(
        "use the controllers " + names + " in the group " + name,
        () -> {
          synchronized (removing) {
            Growth.grow(this, names);
          }
          return this;
        });
  }

  /**
   * Gives this group to another user: who can then make groups in it, enable controllers for them
   * and move processes among them, but not change this group's own limits ("Model of Delegation" in
   * the kernel's cgroup-v2 document). He cannot bring processes in from outside: {@link #attach}
   * his first one. On v1 he gets the directory, {@code tasks} and {@code cgroup.procs}, which is
   * less safe there: v1 does not keep his processes in.
   *
   * @param user his user id
   * @param group his group id
   */
  public void delegateTo(int user, int group) throws HoldfastException {
    gate.inside(
        "give the group " + name + " to the user " + user,
        () -> {
          for (Branch branch : branches.all()) {
            Handover.give(branch.directory(), branch.unified(), user, group);
          }
          return this;
        });
  }

  public String name() {
    return name;
  }

  /** Which kind it is by the directories it has, whatever else the machine has mounted. */
  public CgroupVersion version() {
    return branches.version();
  }

  /**
   * The group's path as the kernel names it, by {@code unified} for v2 and by controller for v1:
   * {@code {unified=/jobs/a, memory=/jobs/a}}.
   */
  public Map<String, String> paths() {
    return branches.kernelPaths();
  }

  /**
   * The group's directory in the hierarchy of this name, or in the one that has this controller;
   * empty if none is in use.
   */
  public Optional<Path> directory(String hierarchyOrController) {
    return branches.directory(hierarchyOrController);
  }

  /** The group's directory in the v2 hierarchy, if there is one. */
  public Optional<Path> unifiedDirectory() {
    return branches.all().stream().filter(Branch::unified).map(Branch::path).findFirst();
  }

  /** The group's directories in v1 hierarchies, in the order in which a process should join. */
  public List<Path> v1Directories() {
    return branches.all().stream().filter(b -> !b.unified()).map(Branch::path).toList();
  }

  /**
   * Moves the process {@code pid}, with all its threads, into this group. If one hierarchy refuses
   * it, it is moved back in the others. One that has ended is no error. What it was charged for
   * before (its memory) stays charged to its former group.
   */
  public void attach(long pid) throws HoldfastException {
    if (pid <= 0) {
      throw new IllegalArgumentException("not a process: " + pid);
    }
    gate.inside(
        "move process " + pid + " into the group " + name,
        () -> {
          Joining.move(branches.all(), pid, scope);
          return this;
        });
  }

  /**
   * The processes in this group and in those nested in it, threads not counted; those that have no
   * number in our pid namespace are missing.
   */
  public List<Long> members() throws HoldfastException {
    return readMembers(Members::of).pids();
  }

  /** How many processes there are, those of other pid namespaces included. */
  public int memberCount() throws HoldfastException {
    return readMembers(Members::of).count();
  }

  /**
   * As many of those as are found within {@code limit}: members can make groups in it faster than
   * anybody goes through them.
   */
  public int memberCount(Duration limit) throws HoldfastException {
    long deadline = Deadline.in(limit);
    return readMembers(group -> Members.until(group, deadline)).count();
  }

  /** Whether this group, or one nested in it, has a living member. */
  public boolean isPopulated() throws HoldfastException {
    if (!membership.unified()) {
      Members found = readMembers(group -> Members.any(group, System.nanoTime()));
      return found.count() > 0 || !found.whole();
    }
    return gate.insideOr(
        false,
        "read the members of the group " + name,
        () -> Events.value(membership.directory(), "populated").orElse(0) == 1);
  }

  /**
   * Waits until there is no member left. Ended ones that nobody has waited for yet do not count.
   *
   * @return false if there still is one after {@code limit}
   */
  public boolean awaitEmpty(Duration limit) throws HoldfastException, InterruptedException {
    if (!gate.enter()) {
      return true;
    }
    try {
      return ending.await(Deadline.in(limit));
    } catch (IOException failure) {
      throw Refusal.of("cannot wait for the end of the group " + name, failure);
    } finally {
      gate.leave();
    }
  }

  /**
   * Kills every member, nested groups and frozen ones included, and returns when all are gone. The
   * group stays usable. An interrupt is kept for later.
   *
   * @throws HoldfastException if a member is still there after {@code limit}
   */
  public void kill(Duration limit) throws HoldfastException {
    boolean ended =
        gate.insideOr(true, "end the group " + name, () -> ending.killAll(Deadline.in(limit)));
    if (!ended) {
      Members left = readMembers(Members::some);
      throw new HoldfastException(
          "cannot end the group " + name,
          "after " + limit.toMillis() + " ms these processes are still there: " + left.pids(),
          "a process in an uninterruptible call ends only when the call returns",
          null);
    }
  }

  /**
   * Sends a signal to every member. A failure with one does not keep it from the others; the last
   * is thrown. Members that come to be meanwhile may miss it, except for SIGKILL.
   */
  public void signal(int signal) throws HoldfastException {
    gate.inside(
        "signal the group " + name,
        () -> {
          if (signal == SIGKILL) {
            ending.kill();
          } else {
            Sweep.signal(membership.directory(), signal);
          }
          return this;
        });
  }

  /**
   * Stops every member where it is, and returns when all have stopped. If they do not within 2 s
   * they go on, and this throws.
   */
  public void freeze() throws HoldfastException {
    gate.inside(
        "freeze the group " + name,
        () -> {
          ending.freezer().freeze();
          return this;
        });
  }

  /** Lets the members go on. */
  public void thaw() throws HoldfastException {
    gate.inside(
        "thaw the group " + name,
        () -> {
          ending.freezer().thaw();
          return this;
        });
  }

  /** Whether the members are stopped, or about to be, here or by a group above. */
  public boolean isFrozen() throws HoldfastException {
    return gate.inside("read the state of the group " + name, () -> ending.freezer().isFrozen());
  }

  /**
   * Sets limits, on a running group too, and reads each back. Those that are not asked for stay as
   * they are, except that a memory limit sets swap to 0, unless that was ever asked for too; and
   * that the first call has the kernel end the whole group at an out-of-memory kill, unless it is
   * told otherwise.
   *
   * @param bestEffort whether a limit that cannot be enforced is reported instead of thrown; if it
   *     is thrown, the limits are what they were before, or the message tells which are not
   * @return a row for each limit asked for, and for each implied by another
   */
  public List<AppliedLimit> apply(Limits limits, boolean bestEffort) throws HoldfastException {
    return gate.inside(
        "limit the group " + name,
        () -> {
          use(limits.controllers());
          statistics = null; // a setting can show files or hide them
          return limiting.apply(limits, bestEffort);
        });
  }

  /**
   * Sets limits as {@link #apply(Limits, boolean)} does, each of which must hold.
   *
   * @throws HoldfastException if one cannot be enforced; those before it are set
   */
  public List<AppliedLimit> apply(Limits limits) throws HoldfastException {
    return apply(limits, false);
  }

  /**
   * Has the kernel take memory back from the group: it drops what can be read again and swaps out
   * the rest, as far as swap is allowed.
   *
   * @return false if it did not get as much
   * @throws HoldfastException unless the kernel has it: v2's memory controller, Linux 5.19
   */
  public boolean reclaim(long bytes) throws HoldfastException {
    return gate.inside(
        "reclaim memory of the group " + name,
        () -> {
          Directory group = watching.unified("a way to reclaim a part of the memory");
          return MemoryReclaim.reclaim(group, bytes);
        });
  }

  /** What the group has used so far, nested groups and dead members included. */
  public Usage usage() throws HoldfastException {
    return gate.inside("read the usage of the group " + name, limiting::usage);
  }

  /** The CPU time of {@link #usage}, which is had sooner than all of it. */
  public Optional<Duration> cpuTime() throws HoldfastException {
    return gate.inside("read the CPU time of the group " + name, limiting::cpuTime);
  }

  /**
   * Everything that the kernel counts for the group, at one moment or nearly. From the second time
   * on the files stay open, some forty of them, until the group is removed, so that taking it often
   * is cheap.
   */
  public Statistics statistics() throws HoldfastException {
    return gate.inside(
        "read the statistics of the group " + name,
        () -> {
          StatisticsFiles files = statistics;
          if (files == null) {
            statistics = files = new StatisticsFiles(branches.all(), HugePages.names());
          }
          return files.read();
        });
  }

  /**
   * The groups directly in this one, those that members made included. Whatever limits they have,
   * this group's bind them too.
   */
  public List<NestedGroup> nested() throws HoldfastException {
    return gate.inside("list the groups in the group " + name, () -> NestedGroup.in(this));
  }

  /**
   * Shows {@code visitor} every group inside this one, outer ones before those in them. None is
   * kept open meanwhile. Those that come or go during the walk may be missed, or be gone when they
   * are looked at.
   *
   * @throws IOException what the visitor throws, or a {@link HoldfastException}
   */
  public void walk(NestedGroup.Visitor visitor) throws IOException {
    Deque<NestedGroup> ahead = new ArrayDeque<>(nested());
    for (NestedGroup group = ahead.poll(); group != null; group = ahead.poll()) {
      visitor.visit(group);
      group.nested().reversed().forEach(ahead::push);
    }
  }

  /**
   * Has {@code action} run after each out-of-memory kill in the group (on v1: as the kernel is
   * about to kill), on the poller's thread: it must be short and never block. The group must not be
   * removed before the watch is closed, or no kill is told of any more.
   */
  public Watch watchOom(Runnable action) throws HoldfastException {
    return gate.inside(
        "watch the group " + name + " for out-of-memory kills", () -> watching.oom(action));
  }

  /**
   * Has {@code listener} told of what happens in the group from now on, nested groups included
   * where the kernel counts those, on the poller's thread: it must be short and never block. Events
   * that follow close upon each other may come as one, with the later count. The group must not be
   * removed before this is closed.
   *
   * <p>{@link EventWatch#kinds} says what can be told of here. v1 tells of out-of-memory kills
   * alone; see {@link #onMemoryUse} for warnings.
   */
  public EventWatch listen(Consumer<CgroupEvent> listener) throws HoldfastException {
    return gate.inside("watch the group " + name, () -> watching.events(listener));
  }

  /**
   * Has {@code action} run, on the poller's thread, when members were stalled for want of {@code
   * kind} for so long within the window: a warning before a limit kills. At most once a window.
   *
   * @param full whether all of them at the same time must have been stalled, not only some
   * @param stall microseconds and up, at most the window
   * @param window from 500 ms to 10 s; without CAP_SYS_RESOURCE the kernel wants a multiple of 2 s
   * @throws HoldfastException if there is no v2 group, or the kernel has no PSI
   */
  public Watch onPressure(
      PressureKind kind, boolean full, Duration stall, Duration window, Runnable action)
      throws HoldfastException {
    return gate.inside(
        "watch the pressure in the group " + name,
        () -> watching.pressure(kind, full, stall, window, action));
  }

  /**
   * Has {@code action} run, on the poller's thread, each time that the group's use of memory rises
   * to so many bytes: a warning before a limit kills, on v1 and on hybrid hosts, where v1 has the
   * memory controller. If that is reached already it is told at once, on the calling thread. The
   * kernel looks at every 128th page or so; rises close upon each other may come as one.
   *
   * @throws HoldfastException if v2 has the memory controller, which announces no amounts: there
   *     {@code memoryHigh} and {@link #listen}, or {@link #onPressure}, warn
   */
  public Watch onMemoryUse(long bytes, Runnable action) throws HoldfastException {
    if (bytes <= 0) {
      throw new IllegalArgumentException("not an amount of memory: " + bytes);
    }
    return gate.inside(
        "watch the memory of the group " + name, () -> watching.memoryUse(bytes, action));
  }

  /**
   * Has {@code action} run, on the poller's thread, each time that the kernel has to reclaim memory
   * in the group and finds it as hard as {@code level}, or harder: v1's older form of {@link
   * #onPressure}.
   *
   * @throws HoldfastException if v2 has the memory controller
   */
  public Watch onMemoryPressure(MemoryPressure level, Runnable action) throws HoldfastException {
    return gate.inside(
        "watch the pressure on the memory of the group " + name,
        () -> watching.memoryPressure(level, action));
  }

  /**
   * Begins a window of one's own for the peak of memory.
   *
   * @throws HoldfastException unless the kernel has it: v2's memory controller, Linux 6.12
   */
  public PeakWindow peakWindow() throws HoldfastException {
    return gate.inside(
        "watch the peak of memory in the group " + name, () -> watching.peak(PeakWindow.MEMORY));
  }

  /**
   * Begins a window of one's own for the peak of swap.
   *
   * @throws HoldfastException as {@link #peakWindow} does; also if the kernel does not count swap
   */
  public PeakWindow swapPeakWindow() throws HoldfastException {
    return gate.inside(
        "watch the peak of swap in the group " + name, () -> watching.peak(PeakWindow.SWAP));
  }

  /**
   * Removes the group, and those that its members made in it. It must be empty. Does nothing if it
   * is removed already.
   */
  public void remove() throws HoldfastException {
    remove(REMOVE_PATIENCE);
  }

  /**
   * As {@link #remove()}, but gives up after {@code limit} where the kernel still finds the group
   * busy; it waits no longer than about a second for each of its directories anyway.
   */
  public void remove(Duration limit) throws HoldfastException {
    long deadline = Deadline.in(limit);
    synchronized (removing) {
      if (!gate.enter()) {
        return;
      }
      try {
        boolean inParent = parent != null && parent.gate.enter();
        try {
          Removal.remove(
              name, branches, inParent && parent != null ? parent.branches : null, deadline);
        } finally {
          if (inParent && parent != null) {
            parent.gate.leave();
          }
        }
        gate.shut();
      } catch (IOException failure) {
        throw Refusal.of("cannot remove the group " + name, failure);
      } finally {
        gate.leave();
      }
    }
  }

  /**
   * Leaves the group and its members as they are, and gives back what we hold of it. From then on
   * it counts as removed here. Idempotent.
   */
  public void leave() {
    if (gate.enter()) {
      gate.shut();
      gate.leave();
    }
  }

  /** Kills every member and removes the group. Idempotent. */
  @Override
  public void close() throws HoldfastException {
    kill(CLOSE_PATIENCE);
    remove();
  }

  @Override
  public String toString() {
    return "Cgroup" + paths();
  }

  Branches branches() {
    return branches;
  }

  Ending ending() {
    return ending;
  }

  Branch membership() {
    return membership;
  }

  @Nullable Cgroup parent() {
    return parent;
  }

  List<Place> places() {
    return places;
  }

  /** More branches, and what is known of controllers that are missing. */
  void grown(List<Branch> more, Map<String, Absence> refused, Set<String> names) {
    branches = branches.and(more);
    limiting.grown(
        branches, names, refused, parent == null ? Map.of() : parent.limiting.absences());
    statistics = null;
  }

  @FunctionalInterface
  private interface Look {
    Members at(Directory group) throws IOException;
  }

  private Members readMembers(Look look) throws HoldfastException {
    return gate.insideOr(
        Members.NONE,
        "read the members of the group " + name,
        () -> {
          try {
            return look.at(membership.directory());
          } catch (IOException failure) {
            if (Refusal.isGone(failure)) {
              return Members.NONE;
            }
            throw failure;
          }
        });
  }

  /** Does what needs the group to be there. */
  <T> T inside(String what, Gate.Work<T> work) throws HoldfastException {
    return gate.inside(what, work);
  }
}
