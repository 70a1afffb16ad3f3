package dev.holdfast.containment;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.Usage;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One job's hold on its processes, by whatever mechanism. Thread-safe. */
public sealed interface Container permits KeptContainer, ProcessTreeContainer {
  /**
   * Limits the job from now on.
   *
   * @param bestEffort whether a limit that cannot be enforced is reported instead of an error
   */
  List<AppliedLimit> apply(Limits limits, boolean bestEffort) throws IOException;

  /**
   * What became of limits at the last start, where they are not the job's: what stands in for them
   * depends on the command. Empty where limits hold.
   */
  default List<AppliedLimit> standIns() {
    return List.of();
  }

  /** Takes a running process in; one that has ended is fine. Its later children are members too. */
  void adopt(int pid) throws IOException;

  /**
   * The process ids of the members, of nested groups too; ended ones that nobody has reaped are
   * left out.
   */
  List<Integer> members() throws IOException;

  /** How many members there are; at least, where there come more than can be counted soon. */
  default int count() throws IOException {
    return members().size();
  }

  /**
   * As {@link #count}, right before they are killed: those who come and go faster are made to stand
   * still first, where the mechanism can do that for all at one moment.
   */
  default int countForKill() throws IOException {
    return isPopulated() ? count() : 0;
  }

  /** Whether there is a member. */
  boolean isPopulated() throws IOException;

  /** Ends all members, and returns once there is none. The job stays usable. */
  void kill(Duration deadline) throws IOException, InterruptedException;

  /** Sends a signal to every member; goes on past a failure and throws the last. */
  void signal(int signal) throws IOException;

  /** An error where {@link #signal} could not send it to anybody. */
  default void checkSignal(int signal) throws HoldfastException {}

  void freeze() throws IOException, InterruptedException;

  void thaw() throws IOException, InterruptedException;

  /** Waits until there is no member; false if the time passes first. */
  boolean awaitEmpty(Duration time) throws IOException, InterruptedException;

  /** What the job has used so far. */
  Usage usage() throws IOException;

  /** The CPU time in {@link #usage}. */
  default Optional<Duration> cpuTime() throws IOException {
    return usage().cpu().total();
  }

  /**
   * Lets the members live on when the job is closed; whoever comes by later only removes what is
   * empty.
   */
  void release() throws IOException;

  /** Removes what the job was held by, which must be empty, in so long at most. Idempotent. */
  void remove(Duration limit) throws IOException, InterruptedException;

  /** No start begins from now on. */
  void closing();

  /** Gives back our own descriptors, and leaves the job as it is. */
  void closeHandles();

  /** The job's path in each hierarchy, as the kernel names it; empty without a cgroup. */
  Map<String, String> paths();
}
