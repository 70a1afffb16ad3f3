package dev.holdfast.linux;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * What a child writes, as a stream. A reader parks while there is nothing; {@link #close} from
 * another thread ends its wait with an IOException, an interrupt with an InterruptedIOException.
 *
 * <p>One reader at a time; others wait for it.
 */
public final class PipeInput extends InputStream {
  private static final int BUFFER = 64 * 1024;

  private final Descriptor descriptor;
  private final Poller.Watch watch;
  private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER);
  private final Object lock = new Object();
  private int position;
  private int limit;
  private boolean ended;

  public PipeInput(Descriptor descriptor) throws SystemCallException {
    this.descriptor = descriptor;
    Poller.Watch watched = Poller.shared().watch(descriptor);
    this.watch = watched;
    Forgotten.whenForgotten(this, () -> end(watched, descriptor));
  }

  @Override
  public int read() throws IOException {
    synchronized (lock) {
      return fill() ? Byte.toUnsignedInt(buffer.get(ValueLayout.JAVA_BYTE, position++)) : -1;
    }
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length == 0) {
      return 0;
    }
    synchronized (lock) {
      if (!fill()) {
        return -1;
      }
      int count = Math.min(length, limit - position);
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, position, bytes, offset, count);
      position += count;
      return count;
    }
  }

  @Override
  public long transferTo(OutputStream out) throws IOException {
    byte[] bytes = new byte[BUFFER];
    long total = 0;
    for (int n = read(bytes); n >= 0; n = read(bytes)) {
      out.write(bytes, 0, n);
      total += n;
    }
    return total;
  }

  @Override
  public int available() {
    synchronized (lock) {
      return limit - position;
    }
  }

  /** Waits for bytes; false at the end of file. */
  private boolean fill() throws IOException {
    if (position < limit) {
      return true;
    }
    while (!ended) {
      long n =
          Kernel.get()
              .call(SystemCall.READ, descriptor.number(), buffer.address(), buffer.byteSize());
      if (n > 0) {
        position = 0;
        limit = (int) n;
        return true;
      }
      if (n == 0) {
        ended = true;
      } else if (n == -Errno.EAGAIN) {
        PipeOutput.await(watch, Poller.READABLE);
      } else {
        throw new SystemCallException("read", "pipe", (int) -n);
      }
    }
    return false;
  }

  @Override
  public void close() throws IOException {
    watch.close();
    synchronized (lock) {
      descriptor.close();
      ended = true;
      position = limit;
    }
  }

  static void end(Poller.Watch watch, Descriptor descriptor) {
    watch.close();
    descriptor.close();
  }

  static InterruptedIOException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    InterruptedIOException exception = new InterruptedIOException(cause.getMessage());
    exception.initCause(cause);
    return exception;
  }
}
