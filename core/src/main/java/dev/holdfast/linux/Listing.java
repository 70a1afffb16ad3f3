package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What getdents64(2) tells of a directory. */
final class Listing {
  private static final byte TYPE_DIRECTORY = 4;

  private Listing() {}

  /** The names of the subdirectories of {@code directory}, which was just opened. */
  static List<String> subdirectories(Descriptor directory, Path path) throws IOException {
    List<String> names = new ArrayList<>();
    try (Scratch scratch = Scratch.take()) {
      MemorySegment buffer = scratch.buffer();
      while (true) {
        long length =
            Kernel.get()
                .call(
                    scratch,
                    SystemCall.GETDENTS64,
                    directory.number(),
                    buffer.address(),
                    buffer.byteSize(),
                    0);
        if (length < 0) {
          throw new SystemCallException("getdents64", path.toString(), (int) -length);
        }
        if (length == 0) {
          return names;
        }
        add(names, buffer, length);
      }
    }
  }

  /** struct linux_dirent64: u64 ino, s64 off, u16 reclen, u8 type, then the name and a NUL. */
  private static void add(List<String> names, MemorySegment records, long length) {
    for (long at = 0; at < length; ) {
      String name = name(records, at + 19);
      if (records.get(ValueLayout.JAVA_BYTE, at + 18) == TYPE_DIRECTORY
          && !name.equals(".")
          && !name.equals("..")) {
        names.add(name);
      }
      at += Short.toUnsignedInt(records.get(ValueLayout.JAVA_SHORT, at + 16));
    }
  }

  private static String name(MemorySegment records, long at) {
    int length = 0;
    while (records.get(ValueLayout.JAVA_BYTE, at + length) != 0) {
      length++;
    }
    byte[] bytes = new byte[length];
    MemorySegment.copy(records, ValueLayout.JAVA_BYTE, at, bytes, 0, length);
    return RawText.text(bytes);
  }
}
