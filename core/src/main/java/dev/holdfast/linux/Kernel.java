package dev.holdfast.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The way to the kernel: the C library's {@code syscall} and {@code posix_spawn}, bound with one
 * shape for both.
 *
 * <p>Linking a foreign function costs milliseconds the first time a shape is seen, which a command
 * that lives for 100 ms feels; so every call goes through {@code syscall(2)} with six arguments
 * (the kernel ignores those that a call does not take). Nothing is linked before the first call, so
 * classes load on every system.
 *
 * <p>Thread-safe.
 */
final class Kernel {
  /** Stands before every call of ours, in tests. */
  @FunctionalInterface
  interface Witness {
    /** {@code call} is about to be made; its name is the manual's. */
    void before(String call);
  }

  private static final int FILE_ACTIONS = 256;

  /** Everybody but tests pays for one look at it. */
  static volatile @Nullable Witness witness;

  private static volatile @Nullable Kernel instance;

  /** Calls any function with seven words; takes its address and a place for errno first. */
  private final MethodHandle function;

  private final MemorySegment syscall;
  private final MemorySegment posixSpawn;
  private final boolean aarch64;
  private final long errnoSize;
  private final long errnoOffset;

  private Kernel() {
    String unknown = Platform.unknown().orElse(null);
    if (unknown != null) {
      throw new UnsupportedOperationException(unknown);
    }
    this.aarch64 = Platform.isArm();
    Linker linker = Linker.nativeLinker();
    this.function =
        linker.downcallHandle(
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(1));
    this.syscall = linker.defaultLookup().findOrThrow("syscall");
    this.posixSpawn = linker.defaultLookup().findOrThrow("posix_spawn");
    StructLayout state = Linker.Option.captureStateLayout();
    this.errnoSize = state.byteSize();
    this.errnoOffset = offset(state, "errno");
  }

  /** What a layout path gives, without the dozen method handles that paths bring along. */
  private static long offset(StructLayout layout, String member) {
    long offset = 0;
    for (MemoryLayout element : layout.memberLayouts()) {
      if (member.equals(element.name().orElse(""))) {
        return offset;
      }
      offset += element.byteSize();
    }
    throw new AssertionError(layout + " has no " + member);
  }

  static Kernel get() {
    Kernel kernel = instance;
    if (kernel == null) {
      synchronized (Kernel.class) {
        kernel = instance;
        if (kernel == null) {
          instance = kernel = new Kernel();
        }
      }
    }
    return kernel;
  }

  /** The name of this processor in the keeper's file names. */
  String architecture() {
    return aarch64 ? "aarch64" : "x86_64";
  }

  /**
   * Calls the kernel; returns the result, or {@code -errno}. Interrupted calls (EINTR) are made
   * again.
   */
  long call(SystemCall call, long a, long b, long c, long d, long e, long f) {
    try (Scratch scratch = Scratch.take()) {
      return call(scratch, call, a, b, c, d, e, f);
    }
  }

  /** As above, for somebody who has a place for errno already. */
  long call(Scratch scratch, SystemCall call, long a, long b, long c, long d, long e, long f) {
    Witness present = witness;
    if (present != null) {
      present.before(call.manualName());
    }
    try {
      MemorySegment errno = scratch.errno();
      while (true) {
        long result =
            (long) function.invokeExact(syscall, errno, call.number(aarch64), a, b, c, d, e, f);
        if (result != -1) {
          return result;
        }
        int number = errno.get(ValueLayout.JAVA_INT, errnoOffset);
        if (number != Errno.EINTR) {
          return -number;
        }
      }
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable failure) {
      throw new AssertionError(failure);
    }
  }

  long call(Scratch scratch, SystemCall call, long a, long b, long c, long d) {
    return call(scratch, call, a, b, c, d, 0, 0);
  }

  long call(SystemCall call, long a, long b, long c, long d) {
    return call(call, a, b, c, d, 0, 0);
  }

  long call(SystemCall call, long a, long b, long c) {
    return call(call, a, b, c, 0, 0, 0);
  }

  long call(SystemCall call, long a, long b) {
    return call(call, a, b, 0, 0, 0, 0);
  }

  long call(SystemCall call, long a) {
    return call(call, a, 0, 0, 0, 0, 0);
  }

  /** As {@link #call}, but a failure is thrown. */
  long check(SystemCall call, @Nullable String path, long a, long b, long c, long d)
      throws SystemCallException {
    long result = call(call, a, b, c, d, 0, 0);
    if (result < 0) {
      throw new SystemCallException(call.manualName(), path, (int) -result);
    }
    return result;
  }

  /**
   * A descriptor of ours that a program gets as its {@code target}.
   *
   * @param target another number than that of any source
   */
  record Passed(int source, int target) {}

  /**
   * {@code posix_spawn(3)} without attributes: the C library starts the program with CLONE_VFORK,
   * so a large heap is neither copied nor counted. Returns the process id.
   *
   * <p>What is passed stays close-on-exec here: it is the child that makes the copy, with dup2(2),
   * which others of our children, started at the same moment by whomever, never see. (Onto its own
   * number that would do nothing before glibc 2.29.)
   */
  int spawn(String program, String[] arguments, String[] environment, List<Passed> passed)
      throws SystemCallException {
    Witness present = witness;
    if (present != null) {
      present.before("posix_spawn");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
      // posix_spawn_file_actions_t has 80 bytes in glibc and in musl.
      long actions = arena.allocate(FILE_ACTIONS, 16).address();
      throwing("posix_spawn_file_actions_init", program, library(arena, "init", actions, 0, 0));
      try {
        for (Passed one : passed) {
          throwing(
              "posix_spawn_file_actions_adddup2",
              program,
              library(arena, "adddup2", actions, one.source(), one.target()));
        }
        int errno =
            library(
                arena,
                posixSpawn,
                pid.address(),
                text(arena, program).address(),
                actions,
                0,
                strings(arena, arguments).address(),
                strings(arena, environment).address());
        throwing("posix_spawn", program, errno);
      } finally {
        var _ = library(arena, "destroy", actions, 0, 0);
      }
      return pid.get(ValueLayout.JAVA_INT, 0);
    }
  }

  private static void throwing(String call, String program, int errno) throws SystemCallException {
    if (errno != 0) {
      throw new SystemCallException(call, program, errno);
    }
  }

  private int library(Arena arena, String fileAction, long a, long b, long c) {
    MemorySegment address =
        Linker.nativeLinker().defaultLookup().findOrThrow("posix_spawn_file_actions_" + fileAction);
    return library(arena, address, a, b, c, 0, 0, 0);
  }

  /**
   * An int comes back in a register whose upper half is anything; words that the function does not
   * take are never looked at.
   */
  private int library(
      Arena arena, MemorySegment address, long a, long b, long c, long d, long e, long f) {
    try {
      MemorySegment unused = arena.allocate(errnoSize, 8);
      return (int) (long) function.invokeExact(address, unused, a, b, c, d, e, f, 0L);
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable failure) {
      throw new AssertionError(failure);
    }
  }

  /**
   * {@code text} in UTF-8 with a NUL after it. {@link Arena#allocateFrom(String)} does the same
   * with six method handles more, which the first use pays for.
   */
  static MemorySegment text(Arena arena, String text) {
    return text(arena, RawText.bytes(text));
  }

  /** {@code bytes} with a NUL after them. */
  static MemorySegment text(Arena arena, byte[] bytes) {
    MemorySegment segment = arena.allocate(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return segment;
  }

  private static MemorySegment strings(Arena arena, String[] strings) {
    // The allocation is zeroed, so the array ends with a null pointer.
    MemorySegment array = arena.allocate(ValueLayout.ADDRESS, strings.length + 1L);
    for (int i = 0; i < strings.length; i++) {
      array.set(
          ValueLayout.JAVA_LONG,
          i * ValueLayout.JAVA_LONG.byteSize(),
          text(arena, strings[i]).address());
    }
    return array;
  }
}
