package dev.holdfast.containment;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.linux.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A job as the JDK sees processes, on systems that are not Linux: nothing of the kernel's holds it.
 * Children are started by {@link ProcessBuilder}, and {@link ProcessTree} tells who descends from
 * them. What was left by its parent before anybody looked has escaped, and nobody ends the members
 * when this process is killed. No system call of ours is made.
 */
public final class ProcessTreeContainer implements Container {
  private static final int SIGKILL = 9;
  private static final int SIGTERM = 15;

  /** New descendants are looked for so often while others are on their way to their end. */
  private static final Duration ROUND = Duration.ofMillis(200);

  private final String unavailable;
  private final String remedy;
  private final ProcessTree tree = new ProcessTree();

  /** The last signal that we sent to a child of ours: the JDK tells how it ended by a number. */
  private final ConcurrentMap<ProcessHandle, Integer> sent = new ConcurrentHashMap<>();

  private final Object starting = new Object();
  private boolean closing;

  ProcessTreeContainer(String unavailable, String remedy) {
    this.unavailable = unavailable;
    this.remedy = remedy;
  }

  /** Starts a child; its descendants are members from their beginning on. */
  public Process start(ProcessBuilder builder) throws IOException {
    // One after the other: whoever closes the job waits for a start, and then finds the child.
    synchronized (starting) {
      if (closing) {
        throw StartGate.closed();
      }
      Process child = builder.start();
      sent.put(child.toHandle(), 0);
      tree.add(child.toHandle());
      return child;
    }
  }

  /** Of a child that has ended, and is forgotten: the signal that we sent last; 0 for none. */
  public int ended(ProcessHandle child) {
    Integer signal = sent.remove(child);
    return signal == null ? 0 : signal;
  }

  @Override
  public List<AppliedLimit> apply(Limits limits, boolean bestEffort) throws IOException {
    if (!limits.isEmpty() && !bestEffort) {
      throw refusal("limit " + limits.requests().getFirst().kind().optionName(), unavailable);
    }
    return limits.unenforced(unavailable);
  }

  @Override
  public void adopt(int pid) throws IOException {
    throw refusal("adopt pid " + pid, "who a process descends from is settled when it is started");
  }

  @Override
  public List<Integer> members() {
    return tree.living().stream().map(member -> Math.toIntExact(member.pid())).toList();
  }

  @Override
  public boolean isPopulated() {
    return !tree.living().isEmpty();
  }

  /** Parents first: a shell whose child is ended would start its next one. */
  @Override
  public void kill(Duration deadline) throws IOException, InterruptedException {
    long end = Deadline.in(deadline);
    for (List<ProcessHandle> members = tree.living(); !members.isEmpty(); members = tree.living()) {
      for (ProcessHandle member : members) {
        send(SIGKILL, member);
      }
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw new HoldfastException(
            "cannot end the job",
            members.size() + " processes are still there after " + deadline.toMillis() + " ms",
            "look whether they run as another user, or wait inside the kernel",
            null);
      }
      awaitEmpty(Duration.ofNanos(Math.min(left, ROUND.toNanos())));
    }
  }

  @Override
  public void checkSignal(int signal) throws HoldfastException {
    boolean term = signal == SIGTERM && ProcessHandle.current().supportsNormalTermination();
    if (signal != SIGKILL && !term) {
      throw refusal(
          "send signal " + signal, "the JDK sends SIGTERM and SIGKILL alone, where it can");
    }
  }

  @Override
  public void signal(int signal) throws IOException {
    checkSignal(signal);
    IOException last = null;
    for (ProcessHandle member : tree.living()) {
      if (!send(signal, member) && member.isAlive()) {
        last =
            new HoldfastException(
                "cannot signal pid " + member.pid(),
                "the system refused it",
                "look whether it runs as another user",
                null);
      }
    }
    if (last != null) {
      throw last;
    }
  }

  /** Sends SIGTERM or SIGKILL to one process; false if it was not sent. */
  public boolean send(int signal, ProcessHandle process) {
    sent.computeIfPresent(process, (child, before) -> signal);
    return signal == SIGKILL ? process.destroyForcibly() : process.destroy();
  }

  @Override
  public void freeze() throws IOException {
    throw refusal("freeze the job", "the JDK cannot stop a process");
  }

  @Override
  public void thaw() throws IOException {
    throw refusal("thaw the job", "the JDK cannot stop a process, nor let it go on");
  }

  @Override
  public boolean awaitEmpty(Duration time) throws IOException, InterruptedException {
    long deadline = Deadline.in(time);
    for (List<ProcessHandle> members = tree.living(); !members.isEmpty(); members = tree.living()) {
      try {
        members.getFirst().onExit().get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException late) {
        return tree.living().isEmpty();
      } catch (ExecutionException failure) {
        throw new IOException(failure.getCause());
      }
    }
    return true;
  }

  @Override
  public Usage usage() {
    return Usage.NONE;
  }

  /** Nobody else would end the members. */
  @Override
  public void release() {}

  @Override
  public void remove(Duration limit) {}

  @Override
  public void closing() {
    synchronized (starting) {
      closing = true;
    }
  }

  @Override
  public void closeHandles() {}

  @Override
  public Map<String, String> paths() {
    return Map.of();
  }

  private HoldfastException refusal(String what, String why) {
    return new HoldfastException("cannot " + what + " with process-tree", why, remedy, null);
  }
}
