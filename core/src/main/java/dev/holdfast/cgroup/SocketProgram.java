package dev.holdfast.cgroup;

/**
 * Programs of type {@code BPF_PROG_TYPE_CGROUP_SOCK}, which the kernel runs when a member makes an
 * IPv4 or IPv6 socket. They give it a mark or a priority; the member may set another, as far as it
 * is privileged.
 *
 * <p>The context is {@code struct bpf_sock}, of which they may write these two words.
 */
final class SocketProgram {
  private static final int CONTEXT = 1;
  private static final int VALUE = 2;
  private static final int MARK_OFFSET = 16;
  private static final int PRIORITY_OFFSET = 20;

  private SocketProgram() {}

  /** Sets what SO_MARK shows; 32 bits. */
  static long[] mark(int mark) {
    return store(MARK_OFFSET, mark);
  }

  /** Sets what SO_PRIORITY shows; 32 bits. */
  static long[] priority(int priority) {
    return store(PRIORITY_OFFSET, priority);
  }

  private static long[] store(int offset, int value) {
    return new BpfCode().set(VALUE, value).store(CONTEXT, offset, VALUE).exit(1).code();
  }
}
