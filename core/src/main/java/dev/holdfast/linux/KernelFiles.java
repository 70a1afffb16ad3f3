package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes open files of a kernel filesystem, such as a cgroup's: they are small, and are
 * read and written whole. Every write passes {@link Changes}.
 *
 * <p>Thread-safe.
 */
public final class KernelFiles {
  /**
   * The kernel fills a page with whole records of a file (fs/seq_file.c) and stops early only if
   * the next one does not fit. No record of the files that we read is half a page long, so less
   * than that is all there is.
   */
  private static final int CERTAIN = Scratch.SIZE / 2;

  private KernelFiles() {}

  /** The whole content, from its beginning, as the kernel gives it. */
  public static String read(Descriptor file, String path) throws IOException {
    return read(file, null, path);
  }

  /** As {@link #read(Descriptor, String)}, of {@code name} in {@code directory}. */
  static String read(Descriptor file, @Nullable Directory directory, String name)
      throws IOException {
    try (Scratch scratch = Scratch.take()) {
      String text = read(scratch, file, scratch.buffer(), directory, name);
      if (text != null) {
        return text;
      }
      for (long size = 4L * Scratch.SIZE; ; size *= 4) {
        try (Arena arena = Arena.ofConfined()) {
          text = read(scratch, file, arena.allocate(size), directory, name);
          if (text != null) {
            return text;
          }
        }
      }
    }
  }

  /** As {@link #read}, but null where {@link #isAbsent} says so. */
  static @Nullable String readIfPresent(Descriptor file, Directory directory, String name)
      throws IOException {
    try {
      return read(file, directory, name);
    } catch (SystemCallException failure) {
      if (isAbsent(-failure.errno())) {
        return null;
      }
      throw failure;
    }
  }

  /**
   * Whether a call on a file has this result because it does not exist (ENOENT), its directory was
   * removed (ENODEV), or the kernel does not keep it here (EOPNOTSUPP).
   */
  static boolean isAbsent(long result) {
    return Errno.isGone((int) -result) || result == -Errno.EOPNOTSUPP;
  }

  /** Null if there may be more than fits. */
  private static @Nullable String read(
      Scratch scratch,
      Descriptor file,
      MemorySegment buffer,
      @Nullable Directory directory,
      String name)
      throws IOException {
    Kernel kernel = Kernel.get();
    long size = buffer.byteSize();
    for (long length = 0; length < size; ) {
      long n =
          kernel.call(
              scratch,
              SystemCall.PREAD64,
              file.number(),
              buffer.address() + length,
              size - length,
              length);
      if (n < 0) {
        throw new SystemCallException("pread64", path(directory, name), (int) -n);
      }
      length += n;
      if (n == 0 || length < CERTAIN) {
        byte[] bytes = new byte[(int) length];
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, bytes, 0, bytes.length);
        return new String(bytes, StandardCharsets.ISO_8859_1);
      }
    }
    return null;
  }

  /**
   * Writes {@code value} with one write(2), which is how the files of a kernel filesystem take it.
   */
  public static void write(Descriptor file, String path, String value) throws IOException {
    write(file, null, path, value);
  }

  /** As {@link #write(Descriptor, String, String)}, of {@code name} in {@code directory}. */
  static void write(Descriptor file, @Nullable Directory directory, String name, String value)
      throws IOException {
    long result = tryWrite(file, directory, name, value);
    if (result < 0) {
      throw new SystemCallException("write", path(directory, name), (int) -result);
    }
  }

  /** As {@link #write}, but a failure is returned: {@code -errno}. */
  static long tryWrite(Descriptor file, @Nullable Directory directory, String name, String value)
      throws IOException {
    long refused = Changes.refused(SystemCall.WRITE, directory, name, value);
    if (refused != 0) {
      return refused;
    }
    byte[] bytes = RawText.bytes(value);
    try (Scratch scratch = Scratch.take()) {
      long address = scratch.text(bytes);
      return Kernel.get().call(scratch, SystemCall.WRITE, file.number(), address, bytes.length, 0);
    }
  }

  private static String path(@Nullable Directory directory, String name) {
    return directory == null ? name : directory.path(name).toString();
  }
}
