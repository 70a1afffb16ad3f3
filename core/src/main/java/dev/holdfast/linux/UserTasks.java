package dev.holdfast.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;

/**
 * The tasks (threads) of a user, which RLIMIT_NPROC counts all together: by the real user id, and
 * in every place of the machine, while we see those alone that {@code /proc} shows us.
 *
 * <p>From {@code /proc/PID/status} (proc_pid_status(5)), a line each: {@code Uid:} with the real,
 * effective, saved and filesystem id; {@code Threads:}; {@code CapAmb:} in hexadecimal.
 */
public final class UserTasks {
  private static final String EVERY_USER = "0 0 4294967295";
  private static final long CAP_SYS_ADMIN = 1L << 21;
  private static final long CAP_SYS_RESOURCE = 1L << 24;

  private final Path proc;

  /** Of the table at {@code proc}, usually {@code /proc}. */
  public UserTasks(Path proc) {
    this.proc = proc;
  }

  public static UserTasks system() {
    return new UserTasks(Path.of("/proc"));
  }

  /** The real user id of this process. */
  public int ownUser() throws IOException {
    return user(status("self"));
  }

  /**
   * Whether the kernel holds processes of {@code user} that we start to RLIMIT_NPROC: not those of
   * root, nor who has CAP_SYS_RESOURCE or CAP_SYS_ADMIN, which outlive exec as ambient ones; all of
   * these in the first user namespace only (copy_process in the kernel's fork.c).
   */
  public boolean areLimited(int user) throws IOException {
    if (!isFirstNamespace()) {
      return true;
    }
    if (user == 0) {
      return false;
    }
    String own = status("self");
    String ambient = ProcessStatus.field(own, "CapAmb:");
    return user != user(own)
        || ambient == null
        || (Long.parseUnsignedLong(ambient, 16) & (CAP_SYS_ADMIN | CAP_SYS_RESOURCE)) == 0;
  }

  /**
   * The same of a user namespace that we make, where nobody has a capability that counts: root of
   * the first one stays that, whatever it may not do.
   */
  public boolean areLimitedInOwnNamespace() throws IOException {
    return !isFirstNamespace() || ownUser() != 0;
  }

  private boolean isFirstNamespace() throws IOException {
    return words(Files.readString(proc.resolve("self/uid_map"))).equals(EVERY_USER);
  }

  /** How many {@code user} has in all processes but {@code others}. */
  public long count(int user, Collection<Integer> others) throws IOException {
    long count = 0;
    for (int process : new ProcessTable(proc).numbers()) {
      if (!others.contains(process)) {
        count += count(user, process);
      }
    }
    return count;
  }

  private long count(int user, int process) throws IOException {
    String status = ProcessTable.text(file(Integer.toString(process)));
    if (status == null || user(status) != user) {
      return 0;
    }
    String threads = ProcessStatus.field(status, "Threads:");
    return threads == null ? 0 : Long.parseLong(threads);
  }

  private String status(String process) throws IOException {
    return Files.readString(file(process), StandardCharsets.ISO_8859_1);
  }

  private Path file(String process) {
    return proc.resolve(process).resolve("status");
  }

  private static int user(String status) throws IOException {
    String ids = ProcessStatus.field(status, "Uid:");
    if (ids == null) {
      throw new IOException("no Uid: in a status file of /proc");
    }
    return Integer.parseUnsignedInt(words(ids).split(" ", -1)[0]);
  }

  private static String words(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
