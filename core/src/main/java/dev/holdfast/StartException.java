package dev.holdfast;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.StartOutcome;
import dev.holdfast.linux.StartStep;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A program could not be started; nothing of it ran, and nothing is left of it. */
public final class StartException extends HoldfastException {
  private static final long serialVersionUID = 1L;

  private static final String MORE_FILES =
      "raise the limit of open files (ulimit -n; the system's is fs.file-max)";
  private static final String REPORT = "report this, with the output of holdfast doctor";

  private final int errno;
  private final boolean exec;
  private transient @Nullable Result result;

  StartException(String program, String why, String remedy, int errno, @Nullable StartStep step) {
    super("cannot start " + program, why, remedy, null);
    this.errno = errno;
    this.exec = step == StartStep.EXEC;
  }

  static StartException of(Command command, StartOutcome.Failed failure) {
    String call = failure.step() == StartStep.EXEC ? "execve" : failure.step().text();
    return new StartException(
        command.program(),
        call + ": " + Errno.name(failure.errno()) + explanation(failure),
        remedy(failure),
        failure.errno(),
        failure.step());
  }

  /** Whether there is no such program. */
  public boolean isNotFound() {
    return exec && (errno == Errno.ENOENT || errno == Errno.ENOTDIR);
  }

  /** Whether the program was found, but the kernel would not execute it. */
  public boolean isNotExecutable() {
    return exec && !isNotFound();
  }

  /** The name of the error, such as {@code ENOENT}; empty if the kernel gave none. */
  public Optional<String> errnoName() {
    return errno == 0 ? Optional.empty() : Optional.of(Errno.name(errno));
  }

  /** What is known of the run all the same, where a {@link Run} was to start it. */
  public Optional<Result> result() {
    return Optional.ofNullable(result);
  }

  StartException with(Result value) {
    result = value;
    return this;
  }

  private static String explanation(StartOutcome.Failed failure) {
    return switch (failure.errno()) {
      case Errno.ENOENT ->
          failure.step() == StartStep.EXEC ? ", no such program" : ", no such file or directory";
      case Errno.EACCES -> ", permission denied";
      case Errno.EPERM -> ", not permitted";
      case Errno.ENOEXEC -> ", not a program: neither an executable nor a script with a #! line";
      case Errno.E2BIG -> ", the arguments and the environment are too long";
      case Errno.EAGAIN -> ", no more processes are allowed";
      case Errno.ENOMEM -> ", out of memory";
      case Errno.EISDIR -> ", it is a directory";
      case Errno.ENOTDIR -> ", not a directory";
      default -> "";
    };
  }

  /** What helps where the kernel makes no process in the group of the job. */
  private static String intoGroup(StartOutcome.Failed failure) {
    return switch (failure.errno()) {
      case Errno.EMFILE, Errno.ENFILE -> MORE_FILES;
      case Errno.EAGAIN -> "raise the limit of processes, or wait until some have ended";
      case Errno.ENOMEM -> "free memory, or raise the job's limit of it";
      case Errno.EBUSY ->
          "disable what was enabled in cgroup.subtree_control of the job's group: one whose nested"
              + " groups have controllers holds no processes itself";
      case Errno.EOPNOTSUPP ->
          "make the job's group a domain again: it, or one near it, is threaded (cgroup.type)";
      case Errno.ENOENT, Errno.ENODEV -> "somebody removed the job's group; open another job";
      default -> "see holdfast doctor";
    };
  }

  private static boolean isOutOfFiles(StartOutcome.Failed failure) {
    return failure.errno() == Errno.EMFILE || failure.errno() == Errno.ENFILE;
  }

  private static String remedy(StartOutcome.Failed failure) {
    return switch (failure.step()) {
      case EXEC ->
          switch (failure.errno()) {
            case Errno.ENOENT ->
                "check the name, the PATH, and the interpreter that a script names";
            case Errno.EACCES ->
                "check its execute permission, and that its filesystem is not noexec";
            case Errno.ENOEXEC -> "give the interpreter as the program, or add a #! line";
            case Errno.E2BIG -> "pass long data through stdin or a file";
            default -> "see execve(2)";
          };
      case DIRECTORY -> "give a directory that exists and may be entered";
      case GROUPS, GID, UID -> "run as root, or leave the identity out";
      case RLIMIT -> "ask for no more than the hard limit, or run as root";
      case NICE -> "only root may lower a nice value";
      case OOM_SCORE -> "only root may lower an oom_score_adj; and /proc must be there";
      case PIDS, CLONE, JOIN -> intoGroup(failure);
      case REQUEST -> isOutOfFiles(failure) ? MORE_FILES : REPORT;
      default -> REPORT;
    };
  }
}
