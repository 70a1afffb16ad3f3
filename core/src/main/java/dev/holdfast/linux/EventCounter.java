package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;

/** An eventfd(2): what cgroup v1 signals an out-of-memory condition on. */
public final class EventCounter implements AutoCloseable {
  private final Descriptor descriptor;

  private EventCounter(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  public static EventCounter create() throws SystemCallException {
    final int closeOnExecNonBlocking = 0x80000 | 0x800;
    return new EventCounter(
        new Descriptor(
            (int) Kernel.get().check(SystemCall.EVENTFD2, null, 0, closeOnExecNonBlocking, 0, 0)));
  }

  /** Readable once something was signalled. */
  public Descriptor descriptor() {
    return descriptor;
  }

  /** Takes what was signalled, so that only what comes later makes it readable again. */
  public void drain() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Kernel.get().call(SystemCall.READ, descriptor.number(), arena.allocate(8, 8).address(), 8);
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
