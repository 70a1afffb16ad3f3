package dev.holdfast;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.Usage;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What became of a {@link Run}. A non-zero exit is data, until {@link #ensureSuccess} is asked.
 *
 * @param name of the job
 * @param command the program and its arguments
 * @param mechanism what held the job
 * @param cgroupPaths its path in each cgroup hierarchy; empty without a cgroup
 * @param outcome why the run ended
 * @param exit how the command itself ended; empty if it never ran
 * @param startedAt wall-clock time of the start
 * @param wall how long it took, by the monotonic clock
 * @param usage what the job used in all
 * @param limits as the kernel took them
 * @param cleanup what ending it did
 * @param stdout what was captured of stdout
 * @param stderr what was captured of stderr
 */
public record Result(
    String name,
    List<String> command,
    Mechanism mechanism,
    Map<String, String> cgroupPaths,
    Outcome outcome,
    Optional<Child.Exit> exit,
    Instant startedAt,
    Duration wall,
    Usage usage,
    List<AppliedLimit> limits,
    Cleanup cleanup,
    CapturedOutput stdout,
    CapturedOutput stderr) {

  /** Whether the command ended by itself with exit code 0 and nothing else set the end. */
  public boolean isSuccess() {
    return outcome == Outcome.EXITED && exit.map(Child.Exit::isSuccess).orElse(false);
  }

  /** This result if {@link #isSuccess}; otherwise an exception that says how the run ended. */
  public Result ensureSuccess() throws IOException {
    if (!isSuccess()) {
      throw new IOException(
          command.getFirst()
              + " did not succeed: "
              + outcome.text()
              + exit.map(e -> ", status " + e.status()).orElse(""));
    }
    return this;
  }

  /** The evidence for each limit, from the counters of the job. */
  public AppliedLimit.Evidence evidence(AppliedLimit limit) {
    return usage.evidence(limit);
  }

  @Override
  public String toString() {
    return "Result[" + command.getFirst() + ", " + outcome.text() + "]";
  }
}
