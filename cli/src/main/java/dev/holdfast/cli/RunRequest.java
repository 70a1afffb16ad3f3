package dev.holdfast.cli;

import dev.holdfast.Command;
import dev.holdfast.Environment;
import dev.holdfast.Identity;
import dev.holdfast.Input;
import dev.holdfast.KernelText;
import dev.holdfast.MechanismChoice;
import dev.holdfast.Output;
import dev.holdfast.ResourceLimit;
import dev.holdfast.Run;
import dev.holdfast.Signal;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a call of {@code holdfast run} asks for, checked. */
final class RunRequest {
  private final Limits.Builder limits = Limits.builder();
  private final boolean terminal;
  private Command command;
  private MechanismChoice mechanism = MechanismChoice.AUTO;
  private Optional<Path> cgroupRoot = Optional.empty();
  private boolean bestEffort;
  private boolean clearEnvironment;
  private List<String> variables = List.of();
  private @Nullable Duration timeout;
  private @Nullable Duration cpuTime;
  private @Nullable Duration grace;
  private @Nullable Signal signal;
  private @Nullable String name;
  private ReportFormat report = ReportFormat.NONE;
  private @Nullable String reportFile;
  private List<String> ignored = List.of();
  private boolean verbose;

  /**
   * Reads what was parsed.
   *
   * @param terminal whether stdin is a terminal, which the command then shares
   */
  RunRequest(ParsedOptions parsed, boolean terminal) throws UsageException {
    this.terminal = terminal;
    List<String> words = parsed.rest();
    if (words.isEmpty() || words.getFirst().isEmpty()) {
      throw usage("bad usage", "no command is given");
    }
    command =
        Command.of(words)
            .stdin(Input.inherit())
            .stdout(Output.inherit())
            .stderr(Output.inherit())
            .foreground(terminal)
            .keepIgnoredSignals(true);
    List<String> oci = parsed.values().get("--oci");
    if (oci != null && !oci.contains("")) {
      OciFile file = OciFile.read(oci.getFirst());
      command = file.addTo(limits, command);
      ignored = file.ignored();
    }
    for (Map.Entry<String, List<String>> option : parsed.values().entrySet()) {
      if (option.getValue().contains("")) {
        throw usage("bad " + option.getKey(), "its value is empty");
      }
      try {
        take(option.getKey(), option.getValue());
      } catch (IllegalArgumentException | IOException wrong) {
        throw usage("bad " + option.getKey(), String.valueOf(wrong.getMessage()));
      }
    }
    if (reportFile != null && report == ReportFormat.NONE) {
      throw usage("bad --report-file", "there is no report without --report text or json");
    }
    environment();
  }

  private void take(String option, List<String> values) throws IOException {
    String value = values.isEmpty() ? "" : values.getFirst();
    switch (option) {
      case "--memory",
          "--memory-high",
          "--memory-low",
          "--memory-min",
          "--swap",
          "--cpus",
          "--cpu-weight",
          "--cpuset-cpus",
          "--cpuset-mems",
          "--pids",
          "--io-weight" ->
          limits.set(kind(option), value);
      case "--cpu-burst" -> limits.set(LimitKind.CPU_BURST, aboveZero(value));
      case "--io-max", "--hugetlb" -> values.forEach(each -> limits.set(kind(option), each));
      case "--device" -> limits.devices(values);
      case "--set" -> values.forEach(limits::raw);
      case "--oci" -> {} // first of all: the other options take the place of what it says
      case "--oom-group" -> limits.oomGroup(isFirst(value, "yes", "no"));
      case "--rlimit" -> resourceLimits(values);
      case "--user" -> command = command.identity(Identity.lookup(value));
      case "--cwd" -> command = command.directory(KernelText.path(value));
      case "--env" -> variables = values;
      case "--clear-env" -> clearEnvironment = true;
      case "--umask" -> command = command.umask(octal(value));
      case "--nice" -> command = command.nice(integer(value));
      case "--timeout" -> timeout = time(value);
      case "--cpu-time" -> cpuTime = time(value);
      case "--grace" -> grace = Durations.parse(value);
      case "--signal" -> signal = Signal.parse(value);
      case "--mechanism" -> mechanism = mechanism(value);
      case "--cgroup-root" -> cgroupRoot = Optional.of(KernelText.path(value));
      case "--enforce" -> bestEffort = !isFirst(value, "require", "best-effort");
      case "--report" -> report = ReportFormat.parse(value);
      case "--report-file" -> reportFile = value;
      case "--name" -> name = value;
      case "--verbose" -> verbose = true;
      default -> throw new AssertionError(option);
    }
  }

  /** The run, ready to start. */
  Run run() throws UsageException {
    Run run = Run.of(command).limits(limits()).bestEffort(bestEffort).mechanism(mechanism);
    if (cgroupRoot.isPresent()) {
      run.cgroupRoot(cgroupRoot.get());
    }
    if (timeout != null) {
      run.timeout(timeout);
    }
    if (cpuTime != null) {
      run.cpuTime(cpuTime);
    }
    if (grace != null) {
      run.grace(grace);
    }
    if (signal != null) {
      run.signal(signal);
    }
    if (name != null) {
      try {
        run.name(name);
      } catch (IllegalArgumentException wrong) {
        throw usage("bad --name", String.valueOf(wrong.getMessage()));
      }
    }
    return run;
  }

  Limits limits() {
    return limits.build();
  }

  Optional<Path> cgroupRoot() {
    return cgroupRoot;
  }

  boolean terminal() {
    return terminal;
  }

  /** What the file of {@code --oci} says and nobody does. */
  List<String> ignored() {
    return ignored;
  }

  boolean verbose() {
    return verbose;
  }

  ReportFormat report() {
    return report;
  }

  @Nullable String reportFile() {
    return reportFile;
  }

  private void environment() throws UsageException {
    Environment environment = clearEnvironment ? Environment.empty() : StartLocale.inherited();
    for (String variable : variables) {
      int equals = variable.indexOf('=');
      if (equals < 1) {
        throw usage("bad --env", "\"" + variable + "\" is not NAME=VALUE");
      }
      environment = environment.with(variable.substring(0, equals), variable.substring(equals + 1));
    }
    command = command.environment(environment);
  }

  private void resourceLimits(List<String> values) {
    for (String value : values) {
      command = command.resourceLimit(ResourceLimit.parse(value));
    }
  }

  private static LimitKind kind(String option) {
    return LimitKind.valueOf(option.substring(2).replace('-', '_').toUpperCase(Locale.ROOT));
  }

  /** In a file of OCI's a burst of 0 means none; here it is left out for that. */
  private static String aboveZero(String time) {
    if (time.matches("0+[a-z]+")) {
      throw new IllegalArgumentException("\"" + time + "\" is 0: leave it out to have none");
    }
    return time;
  }

  private static @Nullable Duration time(String text) {
    return Durations.isUnlimited(text) ? null : Durations.parse(text);
  }

  private static MechanismChoice mechanism(String text) {
    return switch (text) {
      case "auto" -> MechanismChoice.AUTO;
      case "cgroup" -> MechanismChoice.CGROUP;
      case "pid-namespace" -> MechanismChoice.PID_NAMESPACE;
      case "process-group" -> MechanismChoice.PROCESS_GROUP;
      case "process-tree" -> MechanismChoice.PROCESS_TREE;
      default ->
          throw new IllegalArgumentException(
              "\""
                  + text
                  + "\" is neither auto, cgroup, pid-namespace, process-group nor process-tree");
    };
  }

  private static boolean isFirst(String text, String first, String second) {
    if (text.equals(first) || text.equals(second)) {
      return text.equals(first);
    }
    throw new IllegalArgumentException("\"" + text + "\" is neither " + first + " nor " + second);
  }

  private static int octal(String text) {
    try {
      return Integer.parseInt(text, 8);
    } catch (NumberFormatException wrong) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not an octal number up to 777", wrong);
    }
  }

  private static int integer(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException wrong) {
      throw new IllegalArgumentException("\"" + text + "\" is not a whole number", wrong);
    }
  }

  private static UsageException usage(String what, String why) {
    return new UsageException(what, why, "see holdfast run --help");
  }
}
