package dev.holdfast;

import dev.holdfast.cgroup.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * One command in a job of its own, from start to end, with the times it may take. When the command
 * ends, or its time does, the whole tree goes with it.
 *
 * <p>Mutable and not thread-safe while it is set up; {@link #start} takes it as it is then.
 */
public final class Run {
  private final Command command;
  private final Job.Builder job = Job.builder();
  private Limits limits = Limits.NONE;
  private boolean bestEffort;
  private Optional<Duration> timeout = Optional.empty();
  private Optional<Duration> cpuTime = Optional.empty();
  private Duration grace = Duration.ofSeconds(2);
  private Signal signal = Signal.TERM;

  private Run(Command command) {
    this.command = Objects.requireNonNull(command);
  }

  public static Run of(Command command) {
    return new Run(command);
  }

  public Run name(String name) {
    job.name(name);
    return this;
  }

  public Run limits(Limits value) {
    limits = value;
    job.limits(value);
    return this;
  }

  /** See {@link Job.Builder#bestEffort}. */
  public Run bestEffort(boolean yes) {
    bestEffort = yes;
    job.bestEffort(yes);
    return this;
  }

  public Run mechanism(MechanismChoice choice) {
    job.mechanism(choice);
    return this;
  }

  /** See {@link Job.Builder#cgroupRoot}. */
  public Run cgroupRoot(Path root) {
    job.cgroupRoot(root);
    return this;
  }

  /** Ends the job when so much time has passed since the start. */
  public Run timeout(Duration time) {
    timeout = Optional.of(positive(time, "timeout"));
    return this;
  }

  /** Ends the job when its members have used so much CPU time together. Needs a cgroup. */
  public Run cpuTime(Duration budget) {
    cpuTime = Optional.of(positive(budget, "CPU time"));
    return this;
  }

  /** How long the members have between the signal and the kill; 2 s unless set. */
  public Run grace(Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException("a grace is not negative");
    }
    grace = time;
    return this;
  }

  /** What asks the members to end; TERM unless set. */
  public Run signal(Signal value) {
    signal = Objects.requireNonNull(value);
    return this;
  }

  /** Starts it and waits for the end. */
  public Result run() throws IOException, InterruptedException {
    return start().await();
  }

  /**
   * As {@link #run}, with stdout and stderr kept in the result, where the command does not send
   * them elsewhere.
   */
  public Result capture() throws IOException, InterruptedException {
    Command captured = command;
    if (command.stdout() instanceof Output.Inherit) {
      captured = captured.stdout(Output.pipe());
    }
    if (command.stderr() instanceof Output.Inherit) {
      captured = captured.stderr(Output.pipe());
    }
    return new Running(this, captured, job.open()).await();
  }

  /**
   * Starts it. Somebody must call {@link Running#await}, or close the {@link Running}.
   *
   * @throws StartException if the program cannot be started; its {@link StartException#result} is
   *     known
   */
  public Running start() throws IOException, InterruptedException {
    return new Running(this, command, job.open());
  }

  Limits limits() {
    return limits;
  }

  boolean bestEffort() {
    return bestEffort;
  }

  Optional<Duration> timeout() {
    return timeout;
  }

  Optional<Duration> cpuTime() {
    return cpuTime;
  }

  Duration grace() {
    return grace;
  }

  Signal signal() {
    return signal;
  }

  private static Duration positive(Duration time, String what) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException("a " + what + " is above 0");
    }
    return time;
  }
}
