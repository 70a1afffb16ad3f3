package dev.holdfast.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** The size of a page of memory, as the kernel tells every program at its start (getauxval(3)). */
public final class PageSize {
  private static final long AT_PAGESZ = 6;

  private PageSize() {}

  /** In bytes; empty if that cannot be read. */
  public static OptionalLong bytes() {
    try {
      ByteBuffer pairs =
          ByteBuffer.wrap(Files.readAllBytes(Path.of("/proc/self/auxv")))
              .order(ByteOrder.nativeOrder());
      while (pairs.remaining() >= 2 * Long.BYTES) {
        long key = pairs.getLong();
        long value = pairs.getLong();
        if (key == AT_PAGESZ) {
          return OptionalLong.of(value);
        }
      }
    } catch (IOException unreadable) {
      return OptionalLong.empty();
    }
    return OptionalLong.empty();
  }
}
