package dev.holdfast.linux;

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

  @Override
  public void close() {
    descriptor.close();
  }
}
