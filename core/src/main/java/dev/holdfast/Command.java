package dev.holdfast;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What to run: program, arguments, environment, directory, streams, identity. Never a shell: each
 * argument reaches the program as it is.
 *
 * <p>By default stdin is empty, stdout and stderr are those of this process, the environment is
 * ours, and the program leads a POSIX session of its own. Values are checked when they are given: a
 * NUL character, or an environment name with {@code =}, is an {@link IllegalArgumentException}.
 *
 * <p>Immutable and thread-safe: each method that changes something returns a new command. {@link
 * #toString} names the program only, since arguments and environment may hold secrets.
 */
public final class Command {
  private final List<String> words;
  private final @Nullable Path directory;
  private final Environment environment;
  private final Input stdin;
  private final Output stdout;
  private final Output stderr;
  private final @Nullable Identity identity;
  private final @Nullable Integer umask;
  private final @Nullable Integer nice;
  private final @Nullable Integer oomScoreAdj;
  private final List<ResourceLimit> resourceLimits;
  private final boolean foreground;
  private final boolean keepIgnoredSignals;

  private Command(Draft draft) {
    this.words = draft.words;
    this.directory = draft.directory;
    this.environment = draft.environment;
    this.stdin = draft.stdin;
    this.stdout = draft.stdout;
    this.stderr = draft.stderr;
    this.identity = draft.identity;
    this.umask = draft.umask;
    this.nice = draft.nice;
    this.oomScoreAdj = draft.oomScoreAdj;
    this.resourceLimits = draft.resourceLimits;
    this.foreground = draft.foreground;
    this.keepIgnoredSignals = draft.keepIgnoredSignals;
  }

  /**
   * A program, by path or by a name that is looked for in the command's PATH, and its arguments.
   */
  public static Command of(String program, String... arguments) {
    List<String> words = new ArrayList<>(arguments.length + 1);
    words.add(program);
    words.addAll(Arrays.asList(arguments));
    return of(words);
  }

  /** The program and its arguments in one list. */
  public static Command of(List<String> words) {
    if (words.isEmpty() || words.getFirst().isEmpty()) {
      throw new IllegalArgumentException("a command needs a program");
    }
    Draft draft = new Draft();
    words.forEach(word -> checkText(word, "argument"));
    draft.words = List.copyOf(words);
    return new Command(draft);
  }

  public String program() {
    return words.getFirst();
  }

  /** The program and its arguments. */
  public List<String> words() {
    return words;
  }

  /** Runs in this directory; the default is ours. */
  public Command directory(Path path) {
    Draft draft = new Draft(this);
    draft.directory = Objects.requireNonNull(path);
    return new Command(draft);
  }

  public Optional<Path> directory() {
    return Optional.ofNullable(directory);
  }

  /** Replaces the environment. */
  public Command environment(Environment value) {
    Draft draft = new Draft(this);
    draft.environment = Objects.requireNonNull(value);
    return new Command(draft);
  }

  /** Sets one variable. */
  public Command env(String name, String value) {
    return environment(environment.with(name, value));
  }

  public Environment environment() {
    return environment;
  }

  public Command stdin(Input input) {
    Draft draft = new Draft(this);
    draft.stdin = Objects.requireNonNull(input);
    return new Command(draft);
  }

  public Input stdin() {
    return stdin;
  }

  public Command stdout(Output output) {
    if (output instanceof Output.Merged) {
      throw new IllegalArgumentException("only stderr can be merged into stdout");
    }
    Draft draft = new Draft(this);
    draft.stdout = Objects.requireNonNull(output);
    return new Command(draft);
  }

  public Output stdout() {
    return stdout;
  }

  public Command stderr(Output output) {
    Draft draft = new Draft(this);
    draft.stderr = Objects.requireNonNull(output);
    return new Command(draft);
  }

  public Output stderr() {
    return stderr;
  }

  /** Runs as somebody else, which takes the privilege to become them. */
  public Command identity(Identity value) {
    Draft draft = new Draft(this);
    draft.identity = Objects.requireNonNull(value);
    return new Command(draft);
  }

  public Optional<Identity> identity() {
    return Optional.ofNullable(identity);
  }

  /** The file mode creation mask, 0 to 0777; the default is ours. */
  public Command umask(int mask) {
    if (mask < 0 || mask > 0777) {
      throw new IllegalArgumentException("a umask is between 0 and 0777 (octal)");
    }
    Draft draft = new Draft(this);
    draft.umask = mask;
    return new Command(draft);
  }

  public OptionalInt umask() {
    return umask == null ? OptionalInt.empty() : OptionalInt.of(umask);
  }

  /** The nice value, −20 to 19; the default is ours. */
  public Command nice(int value) {
    if (value < -20 || value > 19) {
      throw new IllegalArgumentException("a nice value is between -20 and 19");
    }
    Draft draft = new Draft(this);
    draft.nice = value;
    return new Command(draft);
  }

  public OptionalInt nice() {
    return nice == null ? OptionalInt.empty() : OptionalInt.of(nice);
  }

  /**
   * How much sooner than others it is killed when the whole machine is out of memory, −1000 (never)
   * to 1000; the default is ours. To lower it takes privileges. Source: proc_pid_oom_score_adj(5).
   */
  public Command oomScoreAdj(int value) {
    if (value < -1000 || value > 1000) {
      throw new IllegalArgumentException("an oom_score_adj is between -1000 and 1000");
    }
    Draft draft = new Draft(this);
    draft.oomScoreAdj = value;
    return new Command(draft);
  }

  public OptionalInt oomScoreAdj() {
    return oomScoreAdj == null ? OptionalInt.empty() : OptionalInt.of(oomScoreAdj);
  }

  /** Adds a resource limit of the process itself, as {@code setrlimit(2)} has them. */
  public Command resourceLimit(ResourceLimit limit) {
    Draft draft = new Draft(this);
    List<ResourceLimit> limits = new ArrayList<>(resourceLimits);
    limits.removeIf(other -> other.resource() == limit.resource());
    limits.add(limit);
    draft.resourceLimits = List.copyOf(limits);
    return new Command(draft);
  }

  public List<ResourceLimit> resourceLimits() {
    return resourceLimits;
  }

  /**
   * Shares our process group instead of leading a session of its own, so that it may use the
   * terminal we run in, whose Ctrl-C then reaches it directly.
   */
  public Command foreground(boolean yes) {
    Draft draft = new Draft(this);
    draft.foreground = yes;
    return new Command(draft);
  }

  public boolean foreground() {
    return foreground;
  }

  /**
   * Leaves SIGHUP, SIGINT and SIGQUIT ignored where this process inherited them so ({@code nohup}).
   */
  public Command keepIgnoredSignals(boolean yes) {
    Draft draft = new Draft(this);
    draft.keepIgnoredSignals = yes;
    return new Command(draft);
  }

  public boolean keepIgnoredSignals() {
    return keepIgnoredSignals;
  }

  /** Runs it in a job of its own, without limits, to its end. */
  public Result run() throws java.io.IOException, InterruptedException {
    return Run.of(this).run();
  }

  /** As {@link #run}, with stdout and stderr kept in the result. */
  public Result capture() throws java.io.IOException, InterruptedException {
    return Run.of(this).capture();
  }

  @Override
  public String toString() {
    return "Command[" + program() + (words.size() > 1 ? " …" : "") + "]";
  }

  static void checkText(String text, String what) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a NUL character in the " + what);
    }
  }

  private static final class Draft {
    List<String> words = List.of();
    @Nullable Path directory;
    Environment environment = Environment.inherited();
    Input stdin = Input.empty();
    Output stdout = Output.inherit();
    Output stderr = Output.inherit();
    @Nullable Identity identity;
    @Nullable Integer umask;
    @Nullable Integer nice;
    @Nullable Integer oomScoreAdj;
    List<ResourceLimit> resourceLimits = List.of();
    boolean foreground;
    boolean keepIgnoredSignals;

    Draft() {}

    Draft(Command command) {
      words = command.words;
      directory = command.directory;
      environment = command.environment;
      stdin = command.stdin;
      stdout = command.stdout;
      stderr = command.stderr;
      identity = command.identity;
      umask = command.umask;
      nice = command.nice;
      oomScoreAdj = command.oomScoreAdj;
      resourceLimits = command.resourceLimits;
      foreground = command.foreground;
      keepIgnoredSignals = command.keepIgnoredSignals;
    }
  }
}
