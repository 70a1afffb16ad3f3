package dev.holdfast.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Dispositions of our own process. */
final class Signals {
  private static final int SIGCHLD = 17;

  private Signals() {}

  /**
   * If SIGCHLD was ignored when we started, the kernel reaps every child by itself and waiting for
   * one gives ECHILD: then the default comes back. A handler that somebody installed stays.
   */
  static void defaultChildSignal() {
    final int ignore = 1;
    final int maskSize = 8;
    // struct kernel_sigaction: the handler comes first; at most 32 bytes.
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(32, 8);
      Kernel kernel = Kernel.get();
      long result = kernel.call(SystemCall.RT_SIGACTION, SIGCHLD, 0, action.address(), maskSize);
      if (result == 0 && action.get(ValueLayout.JAVA_LONG, 0) == ignore) {
        action.fill((byte) 0);
        kernel.call(SystemCall.RT_SIGACTION, SIGCHLD, action.address(), 0, maskSize);
      }
    }
  }
}
