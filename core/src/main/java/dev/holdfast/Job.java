package dev.holdfast;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.CgroupEvent;
import dev.holdfast.cgroup.EventWatch;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.NestedGroup;
import dev.holdfast.cgroup.PressureKind;
import dev.holdfast.cgroup.Statistics;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.cgroup.Watch;
import dev.holdfast.containment.CgroupContainer;
import dev.holdfast.containment.Container;
import dev.holdfast.containment.KeptContainer;
import dev.holdfast.containment.Ladder;
import dev.holdfast.containment.Orphans;
import dev.holdfast.containment.PidNamespaceContainer;
import dev.holdfast.containment.ProcessTreeContainer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * A contained tree of processes with limits, usage and one lifetime. Closing it ends the tree,
 * whatever its members have done to get away, and removes what held it; usage stays readable
 * afterwards.
 *
 * {@snippet :
 * try (Job job = Job.builder().limits(Limits.builder().memory("64M").pids(32).build()).open()) {
 *   Child child = job.start(Command.of("make", "-j4"));
 *   child.waitFor();
 * }
 * }
 *
 * <p>Thread-safe. A job that is forgotten without being closed, and whose children are forgotten
 * too, is closed when the garbage collector finds it; one that is open when the JVM ends is ended
 * by a shutdown hook, or by the keeper.
 */
public final class Job implements AutoCloseable {
  private static final AtomicLong NUMBERS = new AtomicLong();

  private final String name;
  private final JobLifetime lifetime;
  private volatile List<AppliedLimit> limits = List.of();
  private final boolean bestEffort;

  private Job(Builder builder, Container container) throws IOException {
    this.name =
        builder.name != null
            ? builder.name
            : "job-" + ProcessHandle.current().pid() + "-" + NUMBERS.incrementAndGet();
    this.bestEffort = builder.bestEffort;
    this.lifetime = new JobLifetime(container, builder.closeDeadline);
    remember(container.apply(builder.limits, builder.bestEffort));
    JobLifetime.guard(this, lifetime);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** A job without limits. */
  public static Job open() throws IOException {
    return builder().open();
  }

  /** The name given, or one made up. */
  public String name() {
    return name;
  }

  /** What holds this job. */
  public Mechanism mechanism() {
    // Not a switch over types: that costs its first use a millisecond.
    if (!(lifetime.container() instanceof CgroupContainer cgroup)) {
      if (lifetime.container() instanceof PidNamespaceContainer) {
        return Mechanism.PID_NAMESPACE;
      }
      return lifetime.container() instanceof ProcessTreeContainer
          ? Mechanism.PROCESS_TREE
          : Mechanism.PROCESS_GROUP;
    }
    return switch (cgroup.version()) {
      case V2 -> Mechanism.CGROUP_V2;
      case HYBRID -> Mechanism.CGROUP_HYBRID;
      case V1 -> Mechanism.CGROUP_V1;
      case NONE -> throw new AssertionError("a cgroup without cgroups");
    };
  }

  /** The job's path in each cgroup hierarchy, as the kernel names it; empty without a cgroup. */
  public Map<String, String> cgroupPaths() {
    return lifetime.container().paths();
  }

  /** The limits as the kernel took them. */
  public List<AppliedLimit> limits() {
    return limits;
  }

  /**
   * Starts a command as a member, which it is before its first instruction.
   *
   * @throws StartException if the program cannot be started
   * @throws HoldfastException if the job is closed, or frozen
   */
  public Child start(Command command) throws IOException, InterruptedException {
    lifetime.checkOpen();
    Child child = startIn(lifetime.container(), command);
    remember(lifetime.container().standIns());
    child.keep(this);
    return child;
  }

  private static Child startIn(Container container, Command command)
      throws IOException, InterruptedException {
    if (container instanceof KeptContainer kept) {
      try (Starter starter = new Starter(command)) {
        return starter.start(kept);
      }
    }
    return JdkStart.start(command, (ProcessTreeContainer) container);
  }

  /**
   * Takes a running process in; one that has ended by now is fine. Its later children are members
   * too, those that it has already are not. Needs a cgroup mechanism.
   */
  public void adopt(ProcessHandle process) throws IOException {
    lifetime.checkOpen();
    Adoption.adopt(lifetime.container(), process);
  }

  /** Ends all members with SIGKILL and returns when there is none. The job stays usable. */
  public void kill() throws IOException, InterruptedException {
    lifetime.checkOpen();
    lifetime.container().kill(lifetime.deadline());
  }

  /**
   * Sends a signal to every member. SIGKILL is {@link #kill}. A member that has ended is no error;
   * any other failure, such as EPERM for a member that runs as another user, is thrown after the
   * rest have been signalled. {@link Mechanism#PROCESS_TREE} sends SIGTERM and SIGKILL alone.
   */
  public void signal(Signal signal) throws IOException, InterruptedException {
    lifetime.checkOpen();
    if (signal.equals(Signal.KILL)) {
      kill();
    } else {
      lifetime.container().signal(signal.number());
    }
  }

  /**
   * Stops all members where they are, and returns when they stand still.
   *
   * @throws HoldfastException also with {@link Mechanism#PROCESS_TREE}, which cannot
   */
  public void freeze() throws IOException, InterruptedException {
    lifetime.checkOpen();
    lifetime.container().freeze();
  }

  /** Lets the members go on. */
  public void thaw() throws IOException, InterruptedException {
    lifetime.checkOpen();
    lifetime.container().thaw();
  }

  /** The process ids of the members, those in nested groups too. */
  public List<Integer> members() throws IOException {
    return lifetime.isClosed() ? List.of() : lifetime.container().members();
  }

  /** Waits until there is no member left; false if {@code time} passes first. */
  public boolean awaitEmpty(Duration time) throws IOException, InterruptedException {
    return lifetime.isClosed() || lifetime.container().awaitEmpty(time);
  }

  /**
   * Asks the members to end, waits, and then ends those that are left, or not.
   *
   * @param signal what to ask with
   * @param grace how long to wait
   * @param escalate whether to end survivors with SIGKILL. If not, the job is released: survivors
   *     live on, contained and limited, and closing the job leaves them alone
   */
  public StopReport stop(Signal signal, Duration grace, boolean escalate)
      throws IOException, InterruptedException {
    lifetime.checkOpen();
    return Stop.stop(this, lifetime, signal, grace, escalate);
  }

  /** What the job has used so far; after closing, what it had used in all. */
  public Usage usage() throws IOException {
    return lifetime.usage();
  }

  /**
   * Everything that the kernel counts for the job: see {@link Cgroup#statistics}.
   *
   * @throws HoldfastException if the job is closed, or not held by a cgroup
   */
  public Statistics statistics() throws IOException {
    return group("read the statistics of").statistics();
  }

  /**
   * Has {@code listener} told of what happens in the job from now on: see {@link Cgroup#listen}.
   *
   * @throws HoldfastException as {@link #statistics} does
   */
  public EventWatch listen(Consumer<CgroupEvent> listener) throws IOException {
    return group("watch").listen(listener);
  }

  /**
   * Has {@code action} run when members were stalled for want of {@code kind}: see {@link
   * Cgroup#onPressure}.
   *
   * @throws HoldfastException as {@link #statistics} does; also if there is no v2 group, or the
   *     kernel has no PSI
   */
  public Watch onPressure(
      PressureKind kind, boolean full, Duration stall, Duration window, Runnable action)
      throws IOException {
    return group("watch the pressure in").onPressure(kind, full, stall, window, action);
  }

  /**
   * Has {@code action} run each time that the job's use of memory rises to so many bytes, where v1
   * has the memory controller: see {@link Cgroup#onMemoryUse}.
   *
   * @throws HoldfastException as {@link #statistics} does; also if v2 has the memory controller
   */
  public Watch onMemoryUse(long bytes, Runnable action) throws IOException {
    return group("watch the memory of").onMemoryUse(bytes, action);
  }

  /**
   * The groups that members made in the job: see {@link Cgroup#nested}.
   *
   * @throws HoldfastException as {@link #statistics} does
   */
  public List<NestedGroup> nested() throws IOException {
    return group("look at the groups in").nested();
  }

  private Cgroup group(String what) throws HoldfastException {
    lifetime.checkOpen();
    if (lifetime.container() instanceof CgroupContainer cgroup) {
      return cgroup.group();
    }
    throw new HoldfastException(
        "cannot " + what + " the job " + name,
        mechanism().text() + " holds it, for which the kernel neither counts nor tells anything",
        "have a cgroup for it: holdfast doctor says how",
        null);
  }

  /** Changes limits of the running job; those that {@code changes} does not name stay. */
  public List<AppliedLimit> limit(Limits changes) throws IOException {
    lifetime.checkOpen();
    List<AppliedLimit> applied = lifetime.container().apply(changes, bestEffort);
    remember(applied);
    return applied;
  }

  /**
   * Ends all members, reads the usage for the last time and removes what held the job. Idempotent;
   * an interrupt does not stop it and is kept for later.
   *
   * @throws HoldfastException if something is left, within the deadline given to the builder; then
   *     closing again tries again
   */
  @Override
  public void close() throws IOException {
    lifetime.close();
  }

  /**
   * Ends every open job of this JVM and removes what held them, as happens by itself when the JVM
   * ends. For programs that end with {@link Runtime#halt}: nothing can be started afterwards.
   */
  public static void closeAll() {
    JobLifetime.closeAll();
  }

  /**
   * Lets orphans of members become children of this process, where jobs are held by process groups
   * alone (PR_SET_CHILD_SUBREAPER): what leaves its session is found all the same. For programs
   * that start nothing but jobs, since it concerns all of their descendants; to be called before
   * the first job.
   */
  public static void takeInOrphans() {
    Orphans.takeIn();
  }

  /** What closing did; empty while the job is open. */
  public Optional<Cleanup> cleanup() {
    return lifetime.cleanup();
  }

  JobLifetime lifetime() {
    return lifetime;
  }

  /** Adds to {@link #limits}, for what limits the job from here and not from the kernel. */
  synchronized void remember(List<AppliedLimit> applied) {
    if (!applied.isEmpty()) {
      limits = AppliedLimit.merge(limits, applied);
    }
  }

  @Override
  public String toString() {
    return "Job[" + name + ", " + mechanism().text() + "]";
  }

  /** Collects what a job is to be. Not thread-safe. */
  public static final class Builder {
    private @org.jspecify.annotations.Nullable String name;
    private Limits limits = Limits.NONE;
    private boolean bestEffort;
    private MechanismChoice mechanism = MechanismChoice.AUTO;
    private Optional<Path> cgroupRoot = Optional.empty();
    private Duration closeDeadline = Duration.ofSeconds(5);

    private Builder() {}

    /** A name for people, without control characters. */
    public Builder name(String value) {
      if (value.isEmpty() || value.chars().anyMatch(Character::isISOControl)) {
        throw new IllegalArgumentException(
            "a job's name is not empty and has no control characters");
      }
      name = value;
      return this;
    }

    public Builder limits(Limits value) {
      limits = value;
      return this;
    }

    /** Reports a limit that cannot be enforced, instead of failing: {@link AppliedLimit#reason}. */
    public Builder bestEffort(boolean yes) {
      bestEffort = yes;
      return this;
    }

    public Builder mechanism(MechanismChoice choice) {
      mechanism = choice;
      return this;
    }

    /** A cgroup directory that is ours to use, instead of finding one. */
    public Builder cgroupRoot(Path root) {
      cgroupRoot = Optional.of(root);
      return this;
    }

    /** How long closing may take to end and remove everything; 5 s unless set. */
    public Builder closeDeadline(Duration time) {
      if (time.isNegative() || time.isZero()) {
        throw new IllegalArgumentException("a close deadline is above 0");
      }
      closeDeadline = time;
      return this;
    }

    /**
     * Opens the job.
     *
     * @throws HoldfastException if a limit cannot be enforced (unless best effort is enough), or
     *     the mechanism asked for is not to be had; then nothing is left of the job
     */
    public Job open() throws IOException {
      Container container = Ladder.own().open(mechanism.choice(), cgroupRoot);
      try {
        return new Job(this, container);
      } catch (IOException | RuntimeException failure) {
        try {
          new JobLifetime(container, closeDeadline).close();
        } catch (IOException second) {
          failure.addSuppressed(second);
        }
        throw failure;
      }
    }
  }
}
