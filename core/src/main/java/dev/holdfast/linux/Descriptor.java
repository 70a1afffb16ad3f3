package dev.holdfast.linux;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An open file descriptor that is closed once, however often and from however many threads {@link
 * #close} is called. Every descriptor that we open is close-on-exec from birth.
 *
 * <p>Thread-safe; but closing while another thread uses the number is the owner's matter.
 */
public final class Descriptor implements AutoCloseable {
  private final int number;
  private final AtomicBoolean closed = new AtomicBoolean();

  Descriptor(int number) {
    this.number = number;
  }

  /**
   * The kernel's number for it. Throws when it is closed, since the number may belong to somebody
   * else by then.
   */
  public int number() throws IOException {
    if (closed.get()) {
      throw new IOException("descriptor " + number + " is closed");
    }
    return number;
  }

  public boolean isOpen() {
    return !closed.get();
  }

  /** Closes it. Errors are ignored: Linux frees the number even when close(2) fails. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Kernel.get().call(SystemCall.CLOSE, number);
    }
  }

  @Override
  public String toString() {
    return "descriptor " + number + (closed.get() ? " (closed)" : "");
  }
}
