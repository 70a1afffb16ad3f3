package dev.holdfast.containment;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.LimitValue;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.linux.KeeperClient;
import dev.holdfast.linux.StartRequest;
import dev.holdfast.linux.UserTasks;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What stands in for limits of a job where no cgroup holds it, for those who take the best effort:
 * limits of its processes, as {@code setrlimit(2)} has them, which whatever a child starts
 * inherits.
 *
 * <ul>
 *   <li>Memory: RLIMIT_AS. It limits the addresses that one process uses, and each has so much.
 *   <li>Tasks: RLIMIT_NPROC. It limits all tasks of the user together, wherever they came from: so
 *       it is set to those that the user has outside of the job, and so many more. In a user
 *       namespace of its own a job is alone, as newer kernels count.
 * </ul>
 *
 * <p>Neither is a limit of the job: they are reported as not enforced. What a command says of the
 * same resource itself stays. CPU time is not among them: see {@code CpuBudget}.
 *
 * <p>Thread-safe.
 */
final class StandIns {
  private static final int NPROC = 6;
  private static final int AS = 9;

  /** The first process, and the one that goes into it before a child, until that is reaped. */
  private static final int OURS_IN_A_NAMESPACE = 2;

  private final String mechanism;
  private final String reason;
  private final String remedy;
  private final UserTasks tasks = UserTasks.system();
  private List<Limits.Request> asked = List.of();
  private List<AppliedLimit> rows = List.of();

  /**
   * Of one job.
   *
   * @param mechanism what holds the job
   * @param reason why nothing limits the job itself
   * @param remedy what would
   */
  StandIns(String mechanism, String reason, String remedy) {
    this.mechanism = mechanism;
    this.reason = reason;
    this.remedy = remedy;
  }

  /**
   * For children that are started from now on; answers what there would be for a plain one.
   *
   * @throws HoldfastException if there are limits, and they are to hold
   */
  synchronized List<AppliedLimit> ask(Limits limits, boolean bestEffort) throws IOException {
    if (!limits.isEmpty() && !bestEffort) {
      throw new HoldfastException(
          "cannot limit " + limits.requests().getFirst().kind().optionName() + " with " + mechanism,
          reason,
          remedy,
          null);
    }
    List<Limits.Request> all = new ArrayList<>(limits.requests());
    for (Limits.Request former : asked) {
      if (all.stream()
          .noneMatch(
              request -> request.kind() == former.kind() && request.key().equals(former.key()))) {
        all.add(former);
      }
    }
    asked = List.copyOf(all);
    rows = rows(new StartRequest(), List.of(), false);
    return rows;
  }

  /**
   * Adds them to a start in {@code job}, whose children {@code keeper} starts: its processes, and
   * the threads that ours need for it, must be there to be counted.
   */
  void addTo(StartRequest request, KeeperClient keeper, Container job) throws IOException {
    if (!areAsked()) {
      return;
    }
    keeper.prepare();
    List<Integer> members = job.members();
    synchronized (this) {
      rows = rows(request, members, false);
    }
  }

  /** Adds them to a start in a job that has a user namespace of its own. */
  synchronized void addToAlone(StartRequest request) throws IOException {
    rows = rows(request, List.of(), true);
  }

  private synchronized boolean areAsked() {
    return !asked.isEmpty();
  }

  /** What came of them at the last start. */
  synchronized List<AppliedLimit> rows() {
    return rows;
  }

  private List<AppliedLimit> rows(StartRequest start, Collection<Integer> members, boolean alone)
      throws IOException {
    List<AppliedLimit> found = new ArrayList<>();
    for (Limits.Request request : asked) {
      found.add(row(request, start, members, alone));
    }
    return found;
  }

  private AppliedLimit row(
      Limits.Request request, StartRequest start, Collection<Integer> members, boolean alone)
      throws IOException {
    if (request.value() instanceof LimitValue.Count count) {
      if (request.kind() == LimitKind.MEMORY) {
        return memory(request, count.value(), start);
      }
      if (request.kind() == LimitKind.PIDS) {
        return alone
            ? tasksAlone(request, count.value(), start)
            : tasks(request, count.value(), start, members);
      }
    }
    return AppliedLimit.unenforced(request, reason);
  }

  private AppliedLimit memory(Limits.Request request, long bytes, StartRequest start)
      throws IOException {
    return start.tighten(AS, bytes)
        ? AppliedLimit.standIn(
            request, "RLIMIT_AS", reason + "; each process may use so many addresses instead")
        : itsOwn(request, "RLIMIT_AS");
  }

  private AppliedLimit tasks(
      Limits.Request request, long count, StartRequest start, Collection<Integer> members)
      throws IOException {
    int user = start.user().isPresent() ? start.user().getAsInt() : tasks.ownUser();
    if (!tasks.areLimited(user)) {
      return unlimited(request);
    }
    return start.tighten(NPROC, tasks.count(user, members) + count)
        ? AppliedLimit.standIn(
            request,
            "RLIMIT_NPROC",
            reason
                + "; user "
                + Integer.toUnsignedString(user)
                + " may have so many tasks more than it had outside of the job instead")
        : itsOwn(request, "RLIMIT_NPROC");
  }

  /** In its user namespace there is nobody but its members and ours. */
  private AppliedLimit tasksAlone(Limits.Request request, long count, StartRequest start)
      throws IOException {
    if (!tasks.areLimitedInOwnNamespace()) {
      return unlimited(request);
    }
    return start.tighten(NPROC, count + OURS_IN_A_NAMESPACE)
        ? AppliedLimit.standIn(
            request,
            "RLIMIT_NPROC",
            reason + "; its user namespace may have so many tasks, and ours, instead")
        : itsOwn(request, "RLIMIT_NPROC");
  }

  private AppliedLimit unlimited(Limits.Request request) {
    return AppliedLimit.unenforced(
        request, reason + "; and RLIMIT_NPROC does not hold root or CAP_SYS_RESOURCE");
  }

  private AppliedLimit itsOwn(Limits.Request request, String resource) {
    return AppliedLimit.unenforced(
        request, reason + "; and the command asks for an " + resource + " of its own");
  }
}
