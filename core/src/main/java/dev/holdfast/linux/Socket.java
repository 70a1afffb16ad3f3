package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;

/**
 * Our end of a SOCK_SEQPACKET pair of Unix sockets: messages keep their bounds and carry
 * descriptors.
 *
 * <p>Thread-safe: closed while others send, it keeps its number until the last of them is through.
 */
final class Socket implements AutoCloseable {
  private static final int NO_SIGNAL_NO_WAIT = 0x4000 | 0x40;
  private static final long FULL_NANOS = 1_000_000_000L;
  private static final int ATTEMPTS = 1000;
  private static final long RETRY_NANOS = 1_000_000;

  /**
   * Asked each second that the receiver's queue is full: throws if that is not to be waited for.
   */
  @FunctionalInterface
  interface Patience {
    void stillFull() throws IOException;
  }

  private final Descriptor descriptor;
  private volatile Patience patience = () -> {};
  private int senders;
  private boolean closed;

  private Socket(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  /** The two ends; both close-on-exec. */
  record Pair(Socket ours, Descriptor theirs) {}

  static Pair pair() throws IOException {
    final int unix = 1;
    final int seqpacketCloseOnExec = 5 | 0x80000;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment numbers = arena.allocate(8, 8);
      Kernel.get()
          .check(SystemCall.SOCKETPAIR, null, unix, seqpacketCloseOnExec, 0, numbers.address());
      return new Pair(
          new Socket(new Descriptor(numbers.get(ValueLayout.JAVA_INT, 0))),
          new Descriptor(numbers.get(ValueLayout.JAVA_INT, 4)));
    }
  }

  void whenFull(Patience patience) {
    this.patience = patience;
  }

  /**
   * Sends one message with descriptors. Waits while the receiver's queue is full: see {@link
   * #whenFull}. EPIPE, as where the other end is closed, if this one is.
   */
  void send(MemorySegment message, int[] descriptors) throws IOException {
    synchronized (this) {
      if (closed) {
        throw new SystemCallException("sendmsg", "keeper", Errno.EPIPE);
      }
      senders++;
    }
    try {
      sendMessage(message, descriptors);
    } finally {
      synchronized (this) {
        senders--;
        closeUnused();
      }
    }
  }

  private void sendMessage(MemorySegment message, int[] descriptors) throws IOException {
    final int socketLevel = 1;
    final int rights = 1;
    // struct iovec: base, length. struct msghdr: name, namelen, iov, iovlen, control, controllen,
    // flags: 56 bytes.
    // struct cmsghdr: u64 length, s32 level, s32 type, then the numbers.
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment vector = arena.allocate(16, 8);
      vector.set(ValueLayout.JAVA_LONG, 0, message.address());
      vector.set(ValueLayout.JAVA_LONG, 8, message.byteSize());
      long length = 16 + 4L * descriptors.length;
      MemorySegment control = arena.allocate((length + 7) & ~7, 8);
      control.set(ValueLayout.JAVA_LONG, 0, length);
      control.set(ValueLayout.JAVA_INT, 8, socketLevel);
      control.set(ValueLayout.JAVA_INT, 12, rights);
      MemorySegment.copy(descriptors, 0, control, ValueLayout.JAVA_INT, 16, descriptors.length);
      MemorySegment header = arena.allocate(56, 8);
      header.set(ValueLayout.JAVA_LONG, 16, vector.address());
      header.set(ValueLayout.JAVA_LONG, 24, 1);
      if (descriptors.length > 0) {
        header.set(ValueLayout.JAVA_LONG, 32, control.address());
        header.set(ValueLayout.JAVA_LONG, 40, control.byteSize());
      }
      sendWhole(header);
    }
  }

  /**
   * An unprivileged sender gets ETOOMANYREFS while about RLIMIT_NOFILE of its descriptors are in
   * messages that nobody has received yet. The kernel has no event for it, so it is tried again, a
   * bounded number of times.
   */
  private void sendWhole(MemorySegment header) throws IOException {
    for (int attempt = 1; ; attempt++) {
      long result =
          Kernel.get()
              .call(SystemCall.SENDMSG, descriptor.number(), header.address(), NO_SIGNAL_NO_WAIT);
      if (result >= 0) {
        return;
      }
      if (result == -Errno.EAGAIN) {
        if (Poller.look(descriptor.number(), Poller.WRITABLE, FULL_NANOS) == 0) {
          patience.stillFull();
        }
        attempt--;
        continue;
      }
      if (result != -Errno.ETOOMANYREFS || attempt == ATTEMPTS) {
        throw new SystemCallException("sendmsg", "keeper", (int) -result);
      }
      LockSupport.parkNanos(RETRY_NANOS);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    closeUnused();
  }

  private void closeUnused() {
    if (closed && senders == 0) {
      descriptor.close();
    }
  }
}
