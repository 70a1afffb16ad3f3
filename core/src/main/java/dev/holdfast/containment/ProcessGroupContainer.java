package dev.holdfast.containment;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.linux.Deadline;
import dev.holdfast.linux.Held;
import dev.holdfast.linux.KeeperClient;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.Poller;
import dev.holdfast.linux.ProcessGroup;
import dev.holdfast.linux.ProcessTable;
import dev.holdfast.linux.StartOutcome;
import dev.holdfast.linux.StartRequest;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A job as POSIX sessions: the last rung, where there is no cgroup. Each child leads a session of
 * its own before it execs (or shares our terminal's), and {@link Sessions} tells who is a member. A
 * process that leaves the session and whose parent ends has escaped, unless orphans come to us. The
 * keeper holds the sessions too, and ends them when we are gone; who has escaped by then, it does
 * not find.
 */
public final class ProcessGroupContainer implements KeptContainer {
  private static final int SIGKILL = 9;
  private static final int SIGSTOP = 19;
  private static final int SIGCONT = 18;
  private static final Duration ROUND = Duration.ofMillis(200);

  /**
   * One that waits inside the kernel is not stopped before that ends; killing it is not, either.
   */
  private static final Duration STOPPING = Duration.ofMillis(500);

  private static final Comparator<ProcessTable.Entry> YOUNGEST_FIRST =
      Comparator.comparingLong(ProcessTable.Entry::startTicks)
          .thenComparingInt(ProcessTable.Entry::pid)
          .reversed();

  private static final long STOP_PAUSE_NANOS = 1_000_000;

  private final KeeperClient keeper;
  private final String remedy;
  private final ProcessTable table = ProcessTable.system();
  private final Sessions sessions;
  private final Set<Sessions> all;
  private final StandIns standIns;
  private final StartGate gate = new StartGate();
  private volatile boolean frozen;
  private volatile boolean closing;

  /** Whether no start was under way when the job began to close: then none comes too late. */
  private volatile boolean quiet;

  /**
   * Of a new job.
   *
   * @param all the sessions of every job, which this adds its own to until it is closed
   */
  ProcessGroupContainer(KeeperClient keeper, Set<Sessions> all, String unavailable, String remedy)
      throws IOException {
    if (!table.isOwn()) {
      throw new HoldfastException(
          "cannot hold a job with process-group",
          "/proc does not show this pid namespace, so nothing tells who is a member",
          ProcessTable.REMEDY,
          null);
    }
    this.sessions = new Sessions(table, Orphans.reaper());
    this.all = all;
    all.add(sessions);
    this.keeper = keeper;
    this.remedy = remedy;
    this.standIns = new StandIns("process-group", unavailable, remedy);
  }

  @Override
  public StartOutcome start(StartRequest request) throws IOException, InterruptedException {
    gate.enter();
    try {
      if (closing) {
        throw StartGate.closed();
      }
      if (frozen) {
        throw StartGate.frozen("the others stand still, and this child would not");
      }
      standIns.addTo(request, keeper, this);
      int keepers = keeper.keepers();
      StartOutcome outcome = keeper.start(request.hold());
      if (outcome instanceof StartOutcome.Started started) {
        add(started.child(), request.leads(), keepers);
      }
      return outcome;
    } finally {
      gate.leave();
    }
  }

  private void add(Pidfd child, boolean leads, int keepers) throws IOException {
    boolean known = false;
    try {
      Held held = sessions.add(child, leads);
      if (sessions.isReleased()) {
        keeper.letGo(List.of(held));
      } else if (!keeper.isStillAfter(keepers)) {
        // The keeper that started it may be gone, and the next one was not told of it.
        keeper.holdAll();
      }
      known = true;
    } finally {
      if (!known) {
        end(child, leads);
      }
    }
  }

  /**
   * Of a start that failed when the child was there: nobody else has its number before it is
   * reaped.
   */
  private static void end(Pidfd child, boolean leads) throws IOException {
    try {
      if (leads) {
        ProcessGroup.signal(child.pid(), SIGKILL);
      }
    } finally {
      child.abandon();
    }
  }

  @Override
  public List<AppliedLimit> apply(Limits limits, boolean bestEffort) throws IOException {
    return standIns.ask(limits, bestEffort);
  }

  @Override
  public List<AppliedLimit> standIns() {
    return standIns.rows();
  }

  @Override
  public void adopt(int pid) throws IOException {
    throw new HoldfastException(
        "cannot adopt pid " + pid + " with process-group",
        "a running process cannot be put into another POSIX session",
        remedy,
        null);
  }

  @Override
  public List<Integer> members() throws IOException {
    return sessions.members().stream().map(ProcessTable.Entry::pid).toList();
  }

  @Override
  public boolean isPopulated() throws IOException {
    return !sessions.members().isEmpty();
  }

  /** Starts wait meanwhile: who goes on starting would be looked at without an end. */
  @Override
  public void kill(Duration deadline) throws IOException, InterruptedException {
    long end = Deadline.in(deadline);
    try (var _ = gate.bar(deadline.compareTo(STOPPING) < 0 ? deadline : STOPPING)) {
      killAll(end, deadline);
    }
  }

  private void killAll(long end, Duration deadline) throws IOException, InterruptedException {
    frozen = false;
    for (List<ProcessTable.Entry> members = standing(end, STOPPING);
        !members.isEmpty();
        members = standing(end, STOPPING)) {
      // When a process ends whose stopped children nobody else of the session leads to, the kernel
      // has those go on (SIGHUP and SIGCONT), and fork.
      signal(SIGKILL, members.stream().sorted(YOUNGEST_FIRST).toList());
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw new HoldfastException(
            "cannot end the job",
            members.size() + " processes are still there after " + deadline.toMillis() + " ms",
            "look at their state in /proc/PID/stat: D waits inside the kernel",
            null);
      }
      long round = System.nanoTime() + Math.min(left, ROUND.toNanos());
      for (ProcessTable.Entry member : members) {
        awaitEnd(member, round);
      }
    }
  }

  /**
   * Each by itself: one in a session of its own whose parent has just ended is not found any more,
   * and may still be on its way to its end.
   */
  private boolean awaitEnd(ProcessTable.Entry member, long deadline)
      throws IOException, InterruptedException {
    Pidfd pinned = pin(member);
    if (pinned == null) {
      return true;
    }
    try (pinned;
        Poller.Watch watch = Poller.shared().watch(pinned.descriptor())) {
      return watch.await(Poller.READABLE, deadline) != 0;
    }
  }

  /** Null if it has ended: who has its number now is another. */
  private @Nullable Pidfd pin(ProcessTable.Entry member) throws IOException {
    Pidfd pinned = Pidfd.openIfPresent(member.pid());
    if (pinned == null) {
      return null;
    }
    ProcessTable.Entry entry = table.entry(member.pid());
    if (entry != null && entry.startTicks() == member.startTicks() && entry.isAlive()) {
      return pinned;
    }
    pinned.close();
    return null;
  }

  /**
   * The members, once all that are seen stand still, as far as that comes to pass: then none of
   * them forks, so everybody has been seen. A child in a session of its own could not be found once
   * its parent is ended. However long a look takes, as long as it shows new ones there is another.
   *
   * <p>A look is no moment: it can show a parent standing still, and not the child that this had
   * after the look began. One that begins when all stand still shows that child.
   */
  private List<ProcessTable.Entry> standing(long end, Duration stopping) throws IOException {
    long patience = Math.min(end, System.nanoTime() + stopping.toNanos());
    Set<Integer> before = Set.of();
    boolean still = false;
    while (true) {
      List<ProcessTable.Entry> members = sessions.members();
      Set<Integer> seen =
          members.stream().map(ProcessTable.Entry::pid).collect(Collectors.toUnmodifiableSet());
      boolean late = System.nanoTime() - (before.containsAll(seen) ? patience : end) >= 0;
      before = seen;
      List<ProcessTable.Entry> running =
          members.stream().filter(member -> !member.isStopped()).toList();
      if (late || members.isEmpty() || (still && running.isEmpty())) {
        return members;
      }
      still = running.isEmpty();
      try {
        signal(SIGSTOP, running);
      } catch (SystemCallException refused) {
        // Another user's; all others do stop.
      }
      // A stop comes to pass when the process next enters the kernel; there is no event for it.
      LockSupport.parkNanos(STOP_PAUSE_NANOS);
    }
  }

  @Override
  public void signal(int signal) throws IOException {
    signal(signal, sessions.members());
  }

  @Override
  public void freeze() throws IOException, InterruptedException {
    gate.closeToFreeze();
    try {
      List<ProcessTable.Entry> members =
          standing(Deadline.in(StartGate.PATIENCE), StartGate.PATIENCE);
      for (ProcessTable.Entry member : members) {
        if (!member.isStopped()) {
          throw StartGate.cannotFreeze("pid " + member.pid() + " does not stop");
        }
      }
      frozen = true;
    } catch (IOException failure) {
      StartGate.thawAfter(failure, this::thaw);
      throw failure;
    } finally {
      gate.open();
    }
  }

  @Override
  public void thaw() throws IOException {
    signal(SIGCONT);
    frozen = false;
  }

  @Override
  public boolean awaitEmpty(Duration time) throws IOException, InterruptedException {
    long deadline = Deadline.in(time);
    for (List<ProcessTable.Entry> members = sessions.members();
        !members.isEmpty();
        members = sessions.members()) {
      if (!awaitEnd(members.getFirst(), deadline)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public Usage usage() {
    return Usage.NONE;
  }

  @Override
  public void release() throws IOException {
    keeper.letGo(sessions.release());
  }

  /** Whoever was started meanwhile came too late for the kill: see {@link #quiet}. */
  @Override
  public void remove(Duration limit) throws IOException, InterruptedException {
    if (quiet) {
      return;
    }
    if (!gate.tryClose(limit)) {
      throw new HoldfastException(
          "cannot remove the job",
          "a start is still under way after " + limit.toMillis() + " ms",
          "close it again when that has returned",
          null);
    }
    gate.open();
    if (isPopulated()) {
      throw new HoldfastException(
          "cannot remove the job", "it has members", "kill them first", null);
    }
    quiet = true;
  }

  @Override
  public void closing() {
    closing = true;
    if (gate.tryClose()) {
      gate.open();
      quiet = true;
    }
  }

  @Override
  public void closeHandles() {
    sessions.close();
    all.remove(sessions);
  }

  @Override
  public Map<String, String> paths() {
    return Map.of();
  }

  private void signal(int signal, List<ProcessTable.Entry> members) throws IOException {
    SystemCallException last = null;
    for (ProcessTable.Entry member : members) {
      try (Pidfd pinned = pin(member)) {
        if (pinned != null) {
          pinned.signal(signal);
        }
      } catch (SystemCallException failure) {
        last = failure;
      }
    }
    if (last != null) {
      throw last;
    }
  }
}
