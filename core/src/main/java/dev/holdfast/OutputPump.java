package dev.holdfast;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * Reads a child's output to its end, on a virtual thread, so that a full pipe never stops the
 * child.
 *
 * <p>When the job is over the end of file follows at once, since every member is gone; unless a
 * process that escaped (or was handed the descriptor) holds the pipe. So after the end of the job
 * the wait goes on only while bytes still come.
 */
final class OutputPump {
  private static final long IDLE_NANOS = 1_000_000_000L;
  private static final int CHUNK = 64 * 1024;

  private final InputStream in;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final Thread thread;
  private boolean ended;

  private OutputPump(InputStream in) {
    this.in = in;
    this.thread = Thread.ofVirtual().name("holdfast-pump").unstarted(this::read);
  }

  static OutputPump of(InputStream in) {
    OutputPump pump = new OutputPump(in);
    pump.thread.start();
    return pump;
  }

  void awaitEnd() throws InterruptedException {
    int before = -1;
    while (!thread.join(java.time.Duration.ofNanos(IDLE_NANOS)) && size() > before) {
      before = size();
    }
    try {
      in.close();
    } catch (IOException ignored) {
      // a pipe: see PipeInput.close
    }
  }

  synchronized CapturedOutput captured() {
    return new CapturedOutput(bytes.toByteArray(), ended);
  }

  private synchronized int size() {
    return bytes.size();
  }

  private void read() {
    byte[] chunk = new byte[CHUNK];
    try {
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        synchronized (this) {
          bytes.write(chunk, 0, n);
        }
      }
      synchronized (this) {
        ended = true;
      }
    } catch (IOException closed) {
      // awaitEnd gave up: what was read so far is marked as incomplete.
    }
  }
}
