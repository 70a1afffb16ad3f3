package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
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

  private static final int SIGKILL = 9;

  /** The controllers that every group has, where the machine does. */
  public static final Set<String> USUAL = Set.of("memory", "cpu", "pids");

  private final String name;

  /** What every group has; those nested in this one have the same. */
  private final Branches usual;

  private final List<Place> places;
  private final Branch membership;
  private final Ending ending;
  private volatile Branches branches;
  private volatile Map<String, Absence> absences;
  private volatile Map<String, Absence> childAbsences;
  private final @Nullable Cgroup parent;
  private final @Nullable Scope scope;
  private volatile Controllers controllers;
  private volatile Set<String> used = USUAL;
  private final Gate gate;
  private final Object removing = new Object();

  private Cgroup(
      String name,
      List<Branch> branches,
      List<Place> places,
      Map<String, Absence> absences,
      @Nullable Cgroup parent,
      @Nullable Scope scope) {
    this.name = name;
    this.usual = new Branches(branches);
    this.branches = usual;
    this.places = places;
    this.membership = usual.membership();
    this.ending = new Ending(membership, () -> this.branches.v1With("freezer"));
    this.controllers = new Controllers(branches);
    this.absences = Map.copyOf(absences);
    this.childAbsences = this.absences;
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
      return new Cgroup(
          name, Hierarchies.make(places, name, sums), List.copyOf(places), absences, null, scope);
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
    String name = GroupName.check(String.valueOf(directories.getFirst().getFileName()));
    if (!directories.stream().allMatch(path -> path.endsWith(name))) {
      throw new IllegalArgumentException("not one group: " + directories);
    }
    try {
      return new Cgroup(name, Hierarchies.open(host, directories), List.of(), Map.of(), null, null);
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
    return inside(
        "make the group " + name + " in " + this.name,
        () -> {
          List<Branch> made = new ArrayList<>();
          try {
            for (Branch branch : usual.all()) {
              made.add(
                  branch.changing(() ->
                      Branch.make(
                          branch.hierarchy(),
                          branch.directory(),
                          name,
                          branch.controllers(),
                          true)));
            }
          } catch (IOException | RuntimeException failure) {
            Hierarchies.undo(made);
            throw failure;
          }
          return new Cgroup(name, made, List.of(), childAbsences, this, scope);
        });
  }

  /**
   * Makes this group one whose children can have limits of their own, where v2 has controllers for
   * that; none of its processes may be in the group itself then. On v1 there is nothing to do.
   *
   * @return the controllers that the kernel refused; a limit that needs one fails with this reason
   */
  public Map<String, Absence> enableControllers() throws HoldfastException {
    return inside(
        "enable controllers in the group " + name,
        () -> {
          if (!membership.unified()) {
            return Map.of();
          }
          Map<String, Absence> refused = SubtreeControl.enable(membership.path(), false, false);
          Map<String, Absence> all = new HashMap<>(absences);
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
    inside(
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
    inside(
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
    inside(
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
    return readMembers().pids();
  }

  /** How many processes there are, those of other pid namespaces included. */
  public int memberCount() throws HoldfastException {
    return readMembers().count();
  }

  /** Whether this group, or one nested in it, has a living member. */
  public boolean isPopulated() throws HoldfastException {
    if (!gate.enter()) {
      return false;
    }
    try {
      return membership.unified()
          ? Events.value(membership.directory(), "populated").orElse(0) == 1
          : Members.of(membership.directory()).count() > 0;
    } catch (IOException failure) {
      throw Refusal.of("cannot read the members of the group " + name, failure);
    } finally {
      gate.leave();
    }
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
      return ending.await(Ending.deadline(limit));
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
    if (!gate.enter()) {
      return;
    }
    try {
      if (!ending.killAll(Ending.deadline(limit))) {
        throw new HoldfastException(
            "cannot end the group " + name,
            "after " + limit.toMillis() + " ms these processes are still there: " + members(),
            "a process in an uninterruptible call ends only when the call returns",
            null);
      }
    } catch (IOException failure) {
      throw Refusal.of("cannot end the group " + name, failure);
    } finally {
      gate.leave();
    }
  }

  /**
   * Sends a signal to every member. A failure with one does not keep it from the others; the last
   * is thrown. Members that come to be meanwhile may miss it, except for SIGKILL.
   */
  public void signal(int signal) throws HoldfastException {
    inside(
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
    inside(
        "freeze the group " + name,
        () -> {
          ending.freezer().freeze();
          return this;
        });
  }

  /** Lets the members go on. */
  public void thaw() throws HoldfastException {
    inside(
        "thaw the group " + name,
        () -> {
          ending.freezer().thaw();
          return this;
        });
  }

  /** Whether the members are stopped, or about to be, here or by a group above. */
  public boolean isFrozen() throws HoldfastException {
    return inside("read the state of the group " + name, () -> ending.freezer().isFrozen());
  }

  /**
   * Sets limits, on a running group too, and reads each back. Those that are not asked for stay as
   * they are, except that a memory limit without one for swap sets that to 0.
   *
   * @param bestEffort whether a limit that cannot be enforced is reported instead of thrown; what
   *     was set before it stays set
   * @return a row for each limit asked for, and for each implied by another
   */
  public List<AppliedLimit> apply(Limits limits, boolean bestEffort) throws HoldfastException {
    return inside(
        "limit the group " + name,
        () -> {
          use(limits.controllers());
          LimitRows rows = new LimitRows(bestEffort, branches.mechanism());
          controllers.apply(limits, rows, absences);
          return rows.rows();
        });
  }

  /**
   * Has the kernel take memory back from the group: it drops what can be read again and swaps out
   * the rest, as far as swap is allowed.
   *
   * @return false if it did not get as much
   * @throws HoldfastException unless the kernel has it: v2's memory controller, Linux 5.19
   */
  public boolean reclaim(long bytes) throws HoldfastException {
    return inside(
        "reclaim memory of the group " + name,
        () -> {
          Directory group = unified("a way to reclaim a part of the memory");
          int errno = group.tryWrite("memory.reclaim", Long.toString(bytes));
          if (errno != 0 && errno != Errno.EAGAIN) {
            throw new SystemCallException(
                "write", group.path().resolve("memory.reclaim").toString(), errno);
          }
          return errno == 0;
        });
  }

  /** What the group has used so far, nested groups and dead members included. */
  public Usage usage() throws HoldfastException {
    return inside("read the usage of the group " + name, controllers::usage);
  }

  /**
   * Everything that the kernel counts for the group, at one moment or nearly. The files stay open,
   * some thirty of them, until the group is removed, so that taking it often is cheap.
   */
  public Statistics statistics() throws HoldfastException {
    return inside(
        "read the statistics of the group " + name,
        () -> new StatisticsFiles(branches.all(), HugePages.sizes(HugePages.SIZES)).read());
  }

  /**
   * Has {@code action} run after each out-of-memory kill in the group (on v1: as the kernel is
   * about to kill), on the poller's thread: it must be short and never block. The group must not be
   * removed before the watch is closed, or no kill is told of any more.
   *
   * @return closing it ends the watch; it does not throw
   */
  public AutoCloseable watchOom(Runnable action) throws HoldfastException {
    return inside(
        "watch the group " + name + " for out-of-memory kills",
        () -> {
          Branch v1 = branches.v1With("memory");
          if (v1 != null) {
            return OomWatch.v1(v1.directory(), action);
          }
          return EventWatch.oomKills(membership.directory(), action);
        });
  }

  /**
   * Has {@code listener} told of what happens in the group from now on, nested groups included
   * where the kernel counts those, on the poller's thread: it must be short and never block. Events
   * that follow close upon each other may come as one, with the later count. v1 tells of
   * out-of-memory kills alone. The group must not be removed before this is closed.
   *
   * @return closing it ends the watch; it does not throw
   */
  public AutoCloseable listen(Consumer<CgroupEvent> listener) throws HoldfastException {
    return inside("watch the group " + name, () -> EventWatch.open(branches.all(), listener));
  }

  /**
   * Has {@code action} run, on the poller's thread, when members were stalled for want of {@code
   * kind} for so long within the window: a warning before a limit kills. At most once a window.
   *
   * @param full whether all of them at the same time must have been stalled, not only some
   * @param stall microseconds and up, at most the window
   * @param window from 500 ms to 10 s; without CAP_SYS_RESOURCE the kernel wants a multiple of 2 s
   * @return closing it ends the watch; it does not throw
   * @throws HoldfastException if there is no v2 group, or the kernel has no PSI
   */
  public AutoCloseable onPressure(
      PressureKind kind, boolean full, Duration stall, Duration window, Runnable action)
      throws HoldfastException {
    return inside(
        "watch the pressure in the group " + name,
        () -> PressureTrigger.open(unified("pressure"), kind, full, stall, window, action));
  }

  /**
   * Begins a window of one's own for the peak of memory.
   *
   * @throws HoldfastException unless the kernel has it: v2's memory controller, Linux 6.12
   */
  public PeakWindow peakWindow() throws HoldfastException {
    return inside(
        "watch the peak of memory in the group " + name,
        () -> PeakWindow.open(unified("a peak that can be reset")));
  }

  /**
   * Removes the group, and those that its members made in it. It must be empty. Does nothing if it
   * is removed already.
   */
  public void remove() throws HoldfastException {
    synchronized (removing) {
      if (!gate.enter()) {
        return;
      }
      try {
        // The one with the members goes last: while it is there, a sweep finds the rest by it.
        for (Branch branch : branches.all()) {
          if (branch != membership) {
            remove(branch);
          }
        }
        remove(membership);
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
    Set<String> all = new HashSet<>(used);
    all.addAll(names);
    used = Set.copyOf(all);
    controllers = new Controllers(branches.all(), used);
    Map<String, Absence> missing = new HashMap<>(absences);
    missing.keySet().removeAll(names);
    missing.putAll(refused);
    absences = Map.copyOf(missing);
  }

  private Members readMembers() throws HoldfastException {
    if (!gate.enter()) {
      return new Members(List.of(), 0);
    }
    try {
      return Members.of(membership.directory());
    } catch (IOException failure) {
      if (Refusal.isGone(failure)) {
        return new Members(List.of(), 0);
      }
      throw Refusal.of("cannot read the members of the group " + name, failure);
    } finally {
      gate.leave();
    }
  }

  private void remove(Branch branch) throws IOException {
    Path above = branch.path().getParent();
    if (above == null) {
      throw new SystemCallException("unlinkat", branch.toString(), Errno.EBUSY);
    }
    boolean entered = parent != null && parent.gate.enter();
    Branch outer = entered && parent != null ? parent.branches.with(branch.hierarchy()) : null;
    try {
      if (outer == null) {
        try (Directory directory = Directory.open(above)) {
          Removal.remove(directory, name);
        }
      } else {
        NestedSum.depart(branch, outer);
        outer.changing(() -> {
          Removal.remove(outer.directory(), name);
          return outer;
        });
      }
    } catch (IOException failure) {
      if (!Refusal.isGone(failure)) {
        throw failure;
      }
    } finally {
      if (entered && parent != null) {
        parent.gate.leave();
      }
    }
  }

  private Directory unified(String what) throws HoldfastException {
    if (!membership.unified()) {
      throw new HoldfastException(
          "cannot do this with the group " + name,
          "v1 does not have " + what,
          "boot with cgroup v2, or with both",
          null);
    }
    return membership.directory();
  }

  @FunctionalInterface
  private interface Work<T> {
    T run() throws IOException;
  }

  private <T> T inside(String what, Work<T> work) throws HoldfastException {
    if (!gate.enter()) {
      throw new HoldfastException("cannot " + what, "the group is removed", "make a new one", null);
    }
    try {
      return work.run();
    } catch (IOException failure) {
      throw Refusal.of("cannot " + what, failure);
    } finally {
      gate.leave();
    }
  }
}
