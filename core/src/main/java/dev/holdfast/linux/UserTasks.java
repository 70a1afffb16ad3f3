package dev.holdfast.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
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
    if (!words(Files.readString(proc.resolve("self/uid_map"))).equals(EVERY_USER)) {
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

  /** How many {@code user} has in all processes but {@code others}. */
  public long count(int user, Collection<Integer> others) throws IOException {
    long count = 0;
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
      for (Path process : processes) {
        String name = process.getFileName().toString();
        if (!others.contains(Integer.valueOf(name))) {
          count += count(user, name);
        }
      }
    }
    return count;
  }

  private long count(int user, String process) {
    try {
      String status = status(process);
      String threads = ProcessStatus.field(status, "Threads:");
      return threads != null && user(status) == user ? Long.parseLong(threads) : 0;
    } catch (IOException ended) {
      return 0;
    }
  }

  private String status(String process) throws IOException {
    return Files.readString(proc.resolve(process).resolve("status"), StandardCharsets.ISO_8859_1);
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
