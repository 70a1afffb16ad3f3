package dev.holdfast.linux;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * What a child reads, as a stream without a buffer: what was written is in the pipe. A writer parks
 * while the pipe is full; EPIPE once nobody can read it any more.
 *
 * <p>One writer at a time; others wait for it.
 */
public final class PipeOutput extends OutputStream {
  private static final int BUFFER = 64 * 1024;

  private final Descriptor descriptor;
  private final Poller.Watch watch;
  private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER);
  private final Object lock = new Object();

  public PipeOutput(Descriptor descriptor) throws SystemCallException {
    this.descriptor = descriptor;
    Poller.Watch watched = Poller.shared().watch(descriptor);
    this.watch = watched;
    Forgotten.whenForgotten(this, () -> PipeInput.end(watched, descriptor));
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    synchronized (lock) {
      for (int done = 0; done < length; ) {
        int chunk = Math.min(BUFFER, length - done);
        MemorySegment.copy(bytes, offset + done, buffer, ValueLayout.JAVA_BYTE, 0, chunk);
        writeBuffer(chunk);
        done += chunk;
      }
    }
  }

  private void writeBuffer(int length) throws IOException {
    for (int done = 0; done < length; ) {
      // The JVM handles SIGPIPE, so a pipe without readers is an errno here.
      long n =
          Kernel.get()
              .call(SystemCall.WRITE, descriptor.number(), buffer.address() + done, length - done);
      if (n >= 0) {
        done += (int) n;
      } else if (n == -Errno.EAGAIN) {
        await(watch, Poller.WRITABLE);
      } else {
        throw new SystemCallException("write", "pipe", (int) -n);
      }
    }
  }

  /**
   * Waits on a stream's watch; the stream's close and the thread's interrupt end the wait with an
   * exception.
   */
  static void await(Poller.Watch watch, int events) throws IOException {
    try {
      if (watch.await(events, Long.MAX_VALUE) == 0) {
        throw new IOException("the stream was closed");
      }
    } catch (InterruptedException interrupted) {
      throw PipeInput.interrupted(interrupted);
    }
  }

  @Override
  public void close() {
    watch.close();
    synchronized (lock) {
      descriptor.close();
    }
  }
}
