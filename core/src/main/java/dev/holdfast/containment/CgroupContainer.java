package dev.holdfast.containment;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.CgroupVersion;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.StartOutcome;
import dev.holdfast.linux.StartRequest;
import dev.holdfast.linux.StartStep;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A job in control groups.
 *
 * <p>A child is cloned into the v2 group (CLONE_INTO_CGROUP), so it is a member and counted before
 * its first instruction; v1 groups it joins itself, by writing to their {@code tasks}, before exec.
 *
 * <p>A group that was killed once is spoiled for cloning: the kernel compares its kill counter with
 * that of the starter's group, and kills the new child at once. Joining by write is not affected.
 * So after a kill, and whenever a child was killed unborn, children join by write: it costs the
 * kernel a grace period for each start, but only in jobs that were killed and go on.
 */
public final class CgroupContainer implements KeptContainer {
  private static final int SIGKILL = 9;
  private static final Set<Integer> REFUSED_CLONE =
      Set.of(Errno.ENOSYS, Errno.EPERM, Errno.EINVAL, Errno.E2BIG);

  /** What counting those who are killed then may take. */
  static final Duration COUNTING = Duration.ofMillis(500);

  /** The mark of a job whose members live on: see the keeper's {@code protocol.h}. */
  private static final String RELEASED = "user.holdfast.released";

  private final Cgroup group;
  private final Anchor anchor;
  private final JoinDescriptors joining;
  private volatile boolean joinByWrite;
  private volatile boolean endsTogetherAtOom = true;

  /** Closed to close the descriptors that starts use, and to freeze. */
  private final StartGate gate = new StartGate();

  private volatile boolean closing;
  private volatile boolean finished;

  CgroupContainer(Cgroup group, Anchor anchor) throws IOException {
    this.group = group;
    this.anchor = anchor;
    this.joining = new JoinDescriptors(group);
  }

  /** Which kind of cgroup it is. */
  public CgroupVersion version() {
    return group.version();
  }

  /** The group itself. */
  public Cgroup group() {
    return group;
  }

  @Override
  public StartOutcome start(StartRequest request) throws IOException, InterruptedException {
    gate.enter();
    try {
      if (closing) {
        throw StartGate.closed();
      }
      return startHeld(request);
    } finally {
      gate.leave();
      if (finished) {
        closeIfUnused();
      }
    }
  }

  private StartOutcome startHeld(StartRequest request) throws IOException, InterruptedException {
    if (group.isFrozen()) {
      throw StartGate.frozen(
          "a child would freeze before its exec, and the start would wait for the thaw");
    }
    boolean write = joinByWrite;
    joining.addTo(request, write);
    StartOutcome outcome = anchor.keeper().start(request);
    if (isUnified() && !write && !closing && cannotBeClonedInto(outcome)) {
      joinByWrite = true;
      joining.byWriteInstead(request);
      outcome = anchor.keeper().start(request);
    }
    return outcome;
  }

  /**
   * Killed at once by the kernel; or the call is refused, and with it every start: by a filter,
   * which cannot look into the struct of clone3(2) and forbids it whole (ENOSYS, in older ones
   * EPERM), or by a kernel before 5.7, which does not know the flag (EINVAL), or the struct's size
   * (E2BIG).
   */
  private static boolean cannotBeClonedInto(StartOutcome outcome) {
    return outcome instanceof StartOutcome.KilledUnborn
        || (outcome instanceof StartOutcome.Failed failed
            && failed.step() == StartStep.CLONE
            && REFUSED_CLONE.contains(failed.errno()));
  }

  @Override
  public List<AppliedLimit> apply(Limits limits, boolean bestEffort) throws IOException {
    Set<String> controllers = limits.controllers();
    if (!Cgroup.USUAL.containsAll(controllers)) {
      anchor.use(controllers);
      // No start may miss a hierarchy that the members are just moved to.
      gate.close();
      try {
        group.use(controllers);
      } finally {
        openGate();
      }
    }
    List<AppliedLimit> rows = group.apply(limits, bestEffort);
    if (limits.askedOomGroup().isPresent() || !limits.oomGroup()) {
      endsTogetherAtOom = limits.oomGroup();
    }
    return rows;
  }

  @Override
  public void adopt(int pid) throws IOException {
    group.attach(pid);
  }

  @Override
  public List<Integer> members() throws IOException {
    return group.members().stream().map(Long::intValue).toList();
  }

  @Override
  public int count() throws IOException {
    return group.memberCount(COUNTING);
  }

  @Override
  public int countForKill() throws IOException {
    // v2 tells at once that there is none.
    return isUnified() && !group.isPopulated() ? 0 : count();
  }

  @Override
  public boolean isPopulated() throws IOException {
    return group.isPopulated();
  }

  @Override
  public void kill(Duration deadline) throws IOException, InterruptedException {
    joinByWrite = true;
    group.kill(deadline);
  }

  /** Whether the kernel counts out-of-memory kills of this job. */
  public boolean countsOomKills() {
    Path memory = group.directory("memory").orElse(null);
    return memory != null
        && (!memory.equals(group.unifiedDirectory().orElse(null))
            || Files.exists(memory.resolve("memory.events")));
  }

  /** Whether an out-of-memory kill is to end the whole job: see {@link Limits#oomGroup}. */
  public boolean endsTogetherAtOom() {
    return endsTogetherAtOom;
  }

  /** Has {@code action} run by the poller's thread at each out-of-memory kill, until closed. */
  public AutoCloseable onOomKill(Runnable action) throws IOException {
    return group.watchOom(action);
  }

  @Override
  public void signal(int signal) throws IOException {
    if (signal == SIGKILL) {
      joinByWrite = true;
    }
    group.signal(signal);
  }

  @Override
  public void freeze() throws IOException, InterruptedException {
    gate.closeToFreeze();
    try {
      group.freeze();
    } finally {
      openGate();
    }
  }

  @Override
  public void thaw() throws IOException, InterruptedException {
    group.thaw();
  }

  @Override
  public boolean awaitEmpty(Duration time) throws IOException, InterruptedException {
    return group.awaitEmpty(time);
  }

  @Override
  public Usage usage() throws IOException {
    return group.usage();
  }

  @Override
  public Optional<Duration> cpuTime() throws IOException {
    return group.cpuTime();
  }

  /** Whether the job {@code name} right below an anchor was released. */
  static boolean isReleased(Directory anchor, String name) throws IOException {
    try (Directory job = anchor.open(name)) {
      return job.hasAttribute(RELEASED);
    }
  }

  @Override
  public void release() throws IOException {
    try (Directory directory = Directory.open(Anchor.membership(group))) {
      directory.setAttribute(RELEASED, "1");
    }
  }

  @Override
  public void remove(Duration limit) throws IOException, InterruptedException {
    group.remove(limit);
    closeHandles();
  }

  @Override
  public void closing() {
    closing = true;
  }

  @Override
  public void closeHandles() {
    closing = true;
    finished = true;
    closeIfUnused();
    group.leave();
  }

  private void openGate() {
    gate.open();
    if (finished) {
      closeIfUnused();
    }
  }

  /**
   * A start that is still under way uses the numbers of our descriptors: then it closes them when
   * it leaves.
   */
  private void closeIfUnused() {
    if (gate.tryClose()) {
      try {
        joining.close();
      } finally {
        gate.open();
      }
    }
  }

  @Override
  public Map<String, String> paths() {
    return group.paths();
  }

  private boolean isUnified() {
    return group.unifiedDirectory().isPresent();
  }
}
