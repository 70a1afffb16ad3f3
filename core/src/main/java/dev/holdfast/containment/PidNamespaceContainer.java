package dev.holdfast.containment;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.linux.Deadline;
import dev.holdfast.linux.Held;
import dev.holdfast.linux.KeeperClient;
import dev.holdfast.linux.KernelFeatures;
import dev.holdfast.linux.NamespaceRefusal;
import dev.holdfast.linux.PidNamespace;
import dev.holdfast.linux.Pidfd;
import dev.holdfast.linux.ProcessTable;
import dev.holdfast.linux.StartOutcome;
import dev.holdfast.linux.StartRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A job as a pid namespace: where there is no cgroup, but a user may make namespaces. Whatever a
 * member does, it stays in, and the kernel ends all of them when the first process ends, which we
 * kill, and which watches us by itself.
 *
 * <p>A namespace whose first process has ended is over for good, so the first start after a kill
 * makes another one.
 */
public final class PidNamespaceContainer implements KeptContainer {
  private static final int SIGKILL = 9;
  private static final int SIGCONT = 18;
  private static final int SIGSTOP = 19;
  private static final int ATTEMPTS = 6;

  private static final long FIRST_PAUSE_NANOS = 200_000;

  private final KeeperClient keeper;
  private final String remedy;
  private final Set<PidNamespaceContainer> all;
  private final StandIns standIns;
  private final NamespaceMembers members = new NamespaceMembers(ProcessTable.system());
  private final NamespaceUsage usage = new NamespaceUsage();

  private final StartGate gate = new StartGate();

  /** Those that have not ended; only the last one is not being ended. */
  private final List<PidNamespace> namespaces = new CopyOnWriteArrayList<>();

  /** Not this object's monitor: keepers ask what they hold while another thread makes one. */
  private final ReentrantLock making = new ReentrantLock();

  private volatile boolean frozen;
  private volatile boolean closing;
  private volatile boolean released;

  /**
   * Of a new job.
   *
   * @param all every such container, which this adds itself to until it is closed
   * @param unavailable why there is no cgroup
   */
  PidNamespaceContainer(
      KeeperClient keeper, Set<PidNamespaceContainer> all, String unavailable, String remedy)
      throws IOException, NamespaceRefusal {
    this.keeper = keeper;
    this.all = all;
    this.remedy = remedy;
    this.standIns = new StandIns("pid-namespace", unavailable, remedy);
    all.add(this);
    boolean made = false;
    try {
      living();
      made = true;
    } finally {
      if (!made) {
        all.remove(this);
      }
    }
  }

  /** What a keeper that comes in the place of another holds. */
  List<Held> held() {
    return released ? List.of() : namespaces.stream().map(PidNamespace::held).toList();
  }

  @Override
  public StartOutcome start(StartRequest request) throws IOException, InterruptedException {
    gate.enter();
    try {
      if (frozen) {
        throw StartGate.frozen("the others stand still, and this child would not");
      }
      return startHeld(request);
    } catch (NamespaceRefusal refusal) {
      throw NamespaceObstacle.exception("cannot start", refusal);
    } finally {
      gate.leave();
    }
  }

  private StartOutcome startHeld(StartRequest request)
      throws IOException, InterruptedException, NamespaceRefusal {
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      PidNamespace namespace = living();
      if (namespace.hasOwnUsers() && request.changesIdentity()) {
        throw new HoldfastException(
            "cannot start as another user with pid-namespace",
            "its user namespace knows nobody but the user and group that we are",
            "run as root with CAP_SYS_ADMIN, or leave the identity out",
            null);
      }
      if (attempt == 1) {
        addStandIns(request, namespace);
      }
      StartOutcome outcome = namespace.start(keeper, request);
      if (outcome instanceof StartOutcome.Started started) {
        members.add(started.child(), usage::add);
        if (released) {
          letGo(namespace, started.child());
        }
      }
      if (outcome != null) {
        return outcome;
      }
    }
    throw new HoldfastException(
        "cannot start",
        "the first process of the job's namespace was killed " + ATTEMPTS + " times",
        "look for what ends holdfast-init, such as want of memory",
        null);
  }

  private void addStandIns(StartRequest request, PidNamespace namespace) throws IOException {
    if (namespace.hasOwnUsers() && KernelFeatures.tasksAreCountedByUserNamespace()) {
      standIns.addToAlone(request);
    } else {
      standIns.addTo(request, keeper, this);
    }
  }

  private static void letGo(PidNamespace namespace, Pidfd child) throws IOException {
    boolean gone = false;
    try {
      namespace.letGo(List.of(child));
      gone = true;
    } finally {
      if (!gone) {
        child.abandon();
      }
    }
  }

  /** The namespace that children are started in; the first, and the first after a kill, is new. */
  private PidNamespace living() throws IOException, NamespaceRefusal {
    making.lock();
    try {
      if (closing) {
        throw StartGate.closed();
      }
      PidNamespace present = present();
      if (present != null) {
        return present;
      }
      int keepers = keeper.keepers();
      PidNamespace fresh = keeper.makeNamespace(usage::over);
      namespaces.add(fresh);
      if (released) {
        keeper.letGo(List.of(fresh.held()));
      } else if (keepers != 0 && keepers != keeper.keepers()) {
        // The keeper that made it may be gone, and the next one was not told of it.
        keeper.holdAll();
      }
      return fresh;
    } finally {
      making.unlock();
    }
  }

  /** The namespace that members are in; null if there is none. */
  private @Nullable PidNamespace present() {
    namespaces.removeIf(namespace -> namespace.end().isDone());
    for (PidNamespace namespace : namespaces) {
      if (namespace.isAlive()) {
        return namespace;
      }
    }
    return null;
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
        "cannot adopt pid " + pid + " with pid-namespace",
        "a running process cannot be put into another pid namespace",
        remedy,
        null);
  }

  @Override
  public List<Integer> members() throws IOException {
    PidNamespace namespace = present();
    return isPopulated(namespace)
        ? members.of(namespace).stream().map(ProcessTable.Entry::pid).toList()
        : List.of();
  }

  @Override
  public int countForKill() throws IOException {
    PidNamespace namespace = present();
    if (!isPopulated(namespace)) {
      return 0;
    }
    return namespace == null ? members.of(null).size() : usage.beforeKill(namespace, members);
  }

  @Override
  public boolean isPopulated() throws IOException {
    return isPopulated(present());
  }

  private boolean isPopulated(@Nullable PidNamespace namespace) throws IOException {
    return members.hasLivingChildren() || (namespace != null && !namespace.hasNoChildren());
  }

  @Override
  public void kill(Duration deadline) throws IOException, InterruptedException {
    long end = Deadline.in(deadline);
    PidNamespace namespace;
    making.lock();
    try {
      namespace = present(); // one that is just being made, too
    } finally {
      making.unlock();
    }
    if (namespace != null) {
      kill(namespace);
    }
    frozen = false;
    for (PidNamespace each : namespaces) {
      if (!each.isAlive()) {
        awaitEnd(each, end, deadline);
      }
    }
    members.awaitReaped(end); // others may have been started since, in another namespace
  }

  private void kill(PidNamespace namespace) throws IOException {
    try {
      int _ = usage.beforeKill(namespace, members);
    } catch (IOException unknown) {
      // Ending them is what matters.
    }
    namespace.kill();
  }

  private void awaitEnd(PidNamespace namespace, long end, Duration deadline)
      throws HoldfastException, InterruptedException {
    try {
      namespace.end().get(Math.max(end - System.nanoTime(), 0), TimeUnit.NANOSECONDS);
    } catch (TimeoutException late) {
      throw new HoldfastException(
          "cannot end the job",
          "the first process of its namespace, pid "
              + namespace.pid()
              + ", is still there after "
              + deadline.toMillis()
              + " ms",
          "look at the state of those in /proc/"
              + namespace.pid()
              + "/root/proc: D waits inside the kernel",
          late);
    } catch (ExecutionException never) {
      throw new AssertionError(never);
    }
  }

  @Override
  public void signal(int signal) throws IOException {
    PidNamespace namespace = present();
    if (namespace == null) {
      return;
    }
    if (signal == SIGKILL) {
      kill(namespace);
    } else {
      namespace.signal(signal);
    }
  }

  @Override
  public void freeze() throws IOException, InterruptedException {
    gate.closeToFreeze();
    try {
      PidNamespace namespace = present();
      if (namespace != null) {
        namespace.signal(SIGSTOP);
        awaitStandstill(namespace);
      }
      frozen = true;
    } catch (IOException failure) {
      StartGate.thawAfter(failure, this::thaw);
      throw failure;
    } finally {
      gate.open();
    }
  }

  /** Nobody is told that a process has stopped but its parent. */
  private void awaitStandstill(PidNamespace namespace) throws IOException {
    long end = Deadline.in(StartGate.PATIENCE);
    for (long pause = FIRST_PAUSE_NANOS; ; pause *= 2) {
      List<ProcessTable.Entry> running =
          members.of(namespace).stream().filter(member -> !member.isStopped()).toList();
      if (running.isEmpty()) {
        return;
      }
      if (end - System.nanoTime() <= 0) {
        throw StartGate.cannotFreeze("pid " + running.getFirst().pid() + " does not stop");
      }
      LockSupport.parkNanos(pause);
    }
  }

  @Override
  public void thaw() throws IOException {
    PidNamespace namespace = present();
    if (namespace != null) {
      namespace.signal(SIGCONT);
    }
    frozen = false;
  }

  @Override
  public boolean awaitEmpty(Duration time) throws IOException, InterruptedException {
    long deadline = Deadline.in(time);
    do {
      if (!members.awaitNoChildren(deadline)) {
        return false;
      }
      PidNamespace namespace = present();
      if (namespace != null && !namespace.awaitNoChildren(deadline)) {
        return false;
      }
    } while (members.hasLivingChildren());
    return true;
  }

  @Override
  public Usage usage() throws IOException {
    PidNamespace namespace = present();
    return usage.now(namespace, isPopulated(namespace) ? members : null);
  }

  @Override
  public void release() throws IOException {
    PidNamespace namespace;
    List<Held> held;
    making.lock();
    try {
      namespace = present();
      held = held();
      released = true;
    } finally {
      making.unlock();
    }
    if (namespace != null) {
      members.letGo(namespace);
    }
    keeper.letGo(held);
  }

  @Override
  public void remove(Duration limit) throws IOException, InterruptedException {
    if (isPopulated()) {
      throw new HoldfastException(
          "cannot remove the job", "it has members", "kill them first", null);
    }
    kill(limit);
  }

  @Override
  public void closing() {
    closing = true;
  }

  @Override
  public void closeHandles() {
    namespaces.forEach(PidNamespace::close);
    all.remove(this);
  }

  @Override
  public Map<String, String> paths() {
    return Map.of();
  }
}
