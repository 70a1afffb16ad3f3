package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * What statx(2) tells of an open file.
 *
 * @param inode its number in its filesystem
 * @param owner the user id
 * @param links how many names it has; a directory of a kernel filesystem has 2 and one for each
 *     directory in it
 * @param modifiedNanos time of last modification, nanoseconds since 1970
 * @param mount a number of the mount that it was reached by; before Linux 5.8 of the filesystem
 */
public record FileStatus(long inode, int owner, int links, long modifiedNanos, long mount) {
  static FileStatus of(Descriptor file, Path path) throws IOException {
    final int atEmptyPath = 0x1000;
    final int basicStats = 0x7ff;
    final int mountId = 0x1000;
    // struct statx: mask at 0, uid at 20, ino at 32, mtime at 112 (s64 seconds, u32 nanoseconds),
    // dev_major and dev_minor at 136, mnt_id at 144; 256 bytes in all.
    try (Scratch scratch = Scratch.take()) {
      MemorySegment buffer = scratch.buffer();
      // The empty path is where the answer is to come: the kernel has read it by then.
      long result =
          Kernel.get()
              .call(
                  scratch,
                  SystemCall.STATX,
                  file.number(),
                  scratch.text(""),
                  atEmptyPath,
                  basicStats | mountId,
                  buffer.address(),
                  0);
      if (result < 0) {
        throw new SystemCallException("statx", path.toString(), (int) -result);
      }
      return new FileStatus(
          buffer.get(ValueLayout.JAVA_LONG, 32),
          buffer.get(ValueLayout.JAVA_INT, 20),
          buffer.get(ValueLayout.JAVA_INT, 16),
          buffer.get(ValueLayout.JAVA_LONG, 112) * 1_000_000_000L
              + buffer.get(ValueLayout.JAVA_INT, 120),
          buffer.get(
              ValueLayout.JAVA_LONG,
              (buffer.get(ValueLayout.JAVA_INT, 0) & mountId) != 0 ? 144 : 136));
    }
  }
}
