package dev.holdfast.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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

  private static final Slot[] KEPT = new Slot[SLOTS];

  static {
    for (int i = 0; i < SLOTS; i++) {
      KEPT[i] = new Slot();
    }
  }

  /** A place for one that is kept: a lock, since the library's atomic variables load slowly. */
  private static final class Slot {
    private @Nullable Scratch kept;
    private boolean taken;

    /** Null if somebody has it. */
    synchronized @Nullable Scratch take() {
      if (taken) {
        return null;
      }
      if (kept == null) {
        kept = new Scratch(this, Arena.global());
      }
      taken = true;
      return kept;
    }

    synchronized void giveBack() {
      taken = false;
    }
  }

  /** Where it is kept; null if it is freed on {@link #close}. */
  private final @Nullable Slot slot;

  private final MemorySegment errno;
  private final MemorySegment buffer;

  /** What is freed on {@link #close}. */
  private @Nullable Arena own;

  private Scratch(@Nullable Slot slot, Arena arena) {
    MemorySegment memory = arena.allocate(ERRNO_SIZE + (long) SIZE, Long.BYTES);
    this.slot = slot;
    this.errno = memory.asSlice(0, ERRNO_SIZE);
    this.buffer = memory.asSlice(ERRNO_SIZE);
    this.own = slot == null ? arena : null;
  }

  /** One for the calling thread. */
  @SuppressWarnings("MustBeClosedChecker") // close() closes it
  static Scratch take() {
    Scratch kept = KEPT[(int) Thread.currentThread().threadId() & (SLOTS - 1)].take();
    return kept == null ? new Scratch(null, Arena.ofConfined()) : kept;
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
    if (slot != null) {
      slot.giveBack();
    }
  }
}
