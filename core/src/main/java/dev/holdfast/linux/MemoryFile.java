package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Anonymous files in memory: memfd_create(2). */
final class MemoryFile {
  private static final int CLOSE_ON_EXEC = 1;
  private static final int ALLOW_SEALING = 2;
  private static final int EXECUTABLE = 16;

  private MemoryFile() {}

  /** A file with this content that can be neither shrunk, grown nor written any more. */
  static Descriptor sealed(String name, MemorySegment content) throws IOException {
    final int addSeals = 1033;
    final int sealShrinkGrowWrite = 2 | 4 | 8;
    Descriptor file = create(name, CLOSE_ON_EXEC | ALLOW_SEALING);
    try {
      Files.writeAll(file, content, name);
      Kernel.get().check(SystemCall.FCNTL, name, file.number(), addSeals, sealShrinkGrowWrite, 0);
      return file;
    } catch (IOException failure) {
      file.close();
      throw failure;
    }
  }

  /**
   * An executable with this content. Where {@code vm.memfd_noexec} is 1 a memfd is only executable
   * if MFD_EXEC asks for it (kernels before 6.3 do not know the flag: EINVAL); where it is 2,
   * EACCES, and the caller must use a file.
   */
  static Descriptor executable(String name, MemorySegment content) throws IOException {
    Descriptor file;
    try {
      file = create(name, CLOSE_ON_EXEC | EXECUTABLE);
    } catch (SystemCallException failure) {
      if (failure.errno() != Errno.EINVAL) {
        throw failure;
      }
      file = create(name, CLOSE_ON_EXEC);
    }
    try {
      Files.writeAll(file, content, name);
      return file;
    } catch (IOException failure) {
      file.close();
      throw failure;
    }
  }

  private static Descriptor create(String name, int flags) throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      return new Descriptor(
          (int)
              Kernel.get()
                  .check(
                      SystemCall.MEMFD_CREATE,
                      name,
                      Kernel.text(arena, name).address(),
                      flags,
                      0,
                      0));
    }
  }
}
