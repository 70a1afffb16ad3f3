package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;

/** {@code memory.reclaim} of v2: the kernel takes memory back when it is told to. */
final class MemoryReclaim {
  private static final String FILE = "memory.reclaim";

  private MemoryReclaim() {}

  /** False if it did not get as much. */
  static boolean reclaim(Directory group, long bytes) throws IOException {
    int errno = group.tryWrite(FILE, Long.toString(bytes));
    if (errno == 0 || errno == Errno.EAGAIN) {
      return errno == 0;
    }
    SystemCallException cause =
        new SystemCallException("write", group.path().resolve(FILE).toString(), errno);
    throw Refusal.of(
        "cannot reclaim memory of " + group.path(),
        cause,
        errno == Errno.ENOENT && group.has("memory.max")
            ? "use Linux 5.19 or later"
            : Refusal.remedy(errno, group, "memory"));
  }
}
