package dev.holdfast.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A pipe(7). Both ends are close-on-exec; each is non-blocking if asked for, which is a property of
 * that end alone.
 *
 * @param readEnd what comes out
 * @param writeEnd what goes in
 */
public record Pipe(Descriptor readEnd, Descriptor writeEnd) implements AutoCloseable {
  private static final int CLOSE_ON_EXEC = 0x80000;
  private static final int NON_BLOCKING = 0x800;

  /** For a child's output: we read without blocking, the child writes as usual. */
  public static Pipe forReading() throws SystemCallException {
    return create().nonBlocking(true);
  }

  /** For a child's input: we write without blocking, the child reads as usual. */
  public static Pipe forWriting() throws SystemCallException {
    return create().nonBlocking(false);
  }

  /** Neither end blocks. */
  static Pipe nonBlocking() throws SystemCallException {
    return create(NON_BLOCKING);
  }

  private static Pipe create() throws SystemCallException {
    return create(0);
  }

  private static Pipe create(int flags) throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment numbers = arena.allocate(8, 8);
      Kernel.get().check(SystemCall.PIPE2, null, numbers.address(), CLOSE_ON_EXEC | flags, 0, 0);
      return new Pipe(
          new Descriptor(numbers.get(ValueLayout.JAVA_INT, 0)),
          new Descriptor(numbers.get(ValueLayout.JAVA_INT, 4)));
    }
  }

  private Pipe nonBlocking(boolean reading) throws SystemCallException {
    final int setFlags = 4;
    try {
      Descriptor ours = reading ? readEnd : writeEnd;
      Kernel.get().check(SystemCall.FCNTL, null, ours.number(), setFlags, NON_BLOCKING, 0);
      return this;
    } catch (SystemCallException failure) {
      close();
      throw failure;
    } catch (java.io.IOException closed) {
      throw new AssertionError(closed);
    }
  }

  @Override
  public void close() {
    readEnd.close();
    writeEnd.close();
  }
}
