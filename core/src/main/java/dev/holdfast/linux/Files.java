package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Opening and writing files that are not in a {@link Directory} of ours. */
public final class Files {
  private static final int CLOSE_ON_EXEC = 0x80000;

  private static volatile @Nullable Descriptor devNull;

  private Files() {}

  /** {@code /dev/null}, open for reading and writing. One for this JVM: nobody closes it. */
  public static Descriptor devNull() throws SystemCallException {
    final int readWrite = 2;
    Descriptor shared = devNull;
    if (shared == null) {
      synchronized (Files.class) {
        shared = devNull;
        if (shared == null) {
          devNull = shared = open(Path.of("/dev/null"), readWrite, 0);
        }
      }
    }
    return shared;
  }

  /** Opens a file for reading. */
  public static Descriptor read(Path path) throws SystemCallException {
    return open(path, 0, 0);
  }

  /** Opens a file for reading; null if there is none. */
  public static @Nullable Descriptor readIfPresent(Path path) throws SystemCallException {
    try {
      return read(path);
    } catch (SystemCallException failure) {
      if (failure.errno() == Errno.ENOENT) {
        return null;
      }
      throw failure;
    }
  }

  /** Opens an existing file for writing, as it is. */
  public static Descriptor writeExisting(Path path) throws SystemCallException {
    long refused = Changes.refused(SystemCall.OPENAT, null, path.toString(), null);
    if (refused != 0) {
      throw new SystemCallException("openat", path.toString(), (int) -refused);
    }
    return open(path, 1, 0);
  }

  /** Opens a file for writing, made (mode 0666 less the umask) or emptied, or appended to. */
  public static Descriptor write(Path path, boolean append) throws SystemCallException {
    final int writeCreate = 1 | 0x40;
    final int truncate = 0x200;
    final int appending = 0x400;
    return open(path, writeCreate | (append ? appending : truncate), 0666);
  }

  static void writeAll(Descriptor file, MemorySegment content, String path) throws IOException {
    Kernel kernel = Kernel.get();
    for (long at = 0; at < content.byteSize(); ) {
      at +=
          kernel.check(
              SystemCall.WRITE,
              path,
              file.number(),
              content.address() + at,
              content.byteSize() - at,
              0);
    }
  }

  private static Descriptor open(Path path, int flags, int mode) throws SystemCallException {
    final int atCurrentDirectory = -100;
    try (Arena arena = Arena.ofConfined()) {
      return new Descriptor(
          (int)
              Kernel.get()
                  .check(
                      SystemCall.OPENAT,
                      path.toString(),
                      atCurrentDirectory,
                      Kernel.text(arena, RawText.bytes(path)).address(),
                      flags | CLOSE_ON_EXEC,
                      mode));
    }
  }
}
