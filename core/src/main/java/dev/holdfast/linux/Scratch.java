package dev.holdfast.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A page of native memory for one system call after the other: for a text that it takes or what it
 * reads, and where errno comes back. An arena for each call costs more than many a call itself, so
 * a few of these are kept for good and used again and again.
 *
 * <p>Not thread-safe: whoever takes one has it to himself until he closes it.
 */
final class Scratch implements AutoCloseable {
  /** How many bytes {@link #buffer} has. */
  static final int SIZE = 4096;

  private static final int ERRNO_SIZE = 16;

  /** A power of two, and more than there are threads that make calls at the same moment. */
  private static final int SLOTS = 8;

  /** Those that nobody uses. */
  private static final AtomicReferenceArray<@Nullable Scratch> FREE =
      new AtomicReferenceArray<>(SLOTS);

  /** 1 for each that was made. */
  private static final AtomicIntegerArray MADE = new AtomicIntegerArray(SLOTS);

  private final int slot;
  private final MemorySegment errno;
  private final MemorySegment buffer;

  /** What is freed on {@link #close}, if it is not kept for good. */
  private @Nullable Arena own;

  private Scratch(int slot, MemorySegment memory, @Nullable Arena own) {
    this.slot = slot;
    this.errno = memory.asSlice(0, ERRNO_SIZE);
    this.buffer = memory.asSlice(ERRNO_SIZE);
    this.own = own;
  }

  /** One for the calling thread. */
  @SuppressWarnings("MustBeClosedChecker") // close() closes it
  static Scratch take() {
    int slot = (int) Thread.currentThread().threadId() & (SLOTS - 1);
    Scratch free = FREE.getAndSet(slot, null);
    if (free != null) {
      return free;
    }
    boolean kept = MADE.compareAndSet(slot, 0, 1);
    Arena arena = kept ? Arena.global() : Arena.ofConfined();
    return new Scratch(
        slot, arena.allocate(ERRNO_SIZE + (long) SIZE, Long.BYTES), kept ? null : arena);
  }

  /** Where the C library's errno is left after a call. */
  MemorySegment errno() {
    return errno;
  }

  /** For what is read. It holds whatever it held before. */
  MemorySegment buffer() {
    return buffer;
  }

  /** The address of {@code text} in UTF-8 with a NUL after it, in the place of what was there. */
  long text(String text) {
    return text(RawText.bytes(text));
  }

  /** The address of {@code bytes} with a NUL after them, in the place of what was there. */
  long text(byte[] bytes) {
    MemorySegment place = bytes.length < SIZE ? buffer : larger(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, place, ValueLayout.JAVA_BYTE, 0, bytes.length);
    place.set(ValueLayout.JAVA_BYTE, bytes.length, (byte) 0);
    return place.address();
  }

  /** More than a page, until this is closed. */
  @SuppressWarnings("MustBeClosedChecker") // close() closes it
  private MemorySegment larger(long size) {
    Arena arena = own;
    if (arena == null) {
      own = arena = Arena.ofConfined();
    }
    return arena.allocate(size);
  }

  @Override
  public void close() {
    Arena arena = own;
    own = null;
    if (arena != null) {
      arena.close();
    }
    if (buffer.scope().isAlive()) {
      FREE.set(slot, this);
    }
  }
}
