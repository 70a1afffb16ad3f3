package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * {@code bpf(2)}: small programs that the kernel runs for the members of a v2 group. One that is
 * attached lives as long as the group; its descriptor may be closed.
 *
 * <p>Failures are {@link SystemCallException}s of the call {@code bpf(COMMAND)}. Thread-safe.
 */
public final class Bpf {
  /** {@code BPF_PROG_TYPE_CGROUP_SOCK}: runs when a socket is made. */
  public static final int PROGRAM_SOCKET = 9;

  /** {@code BPF_PROG_TYPE_CGROUP_DEVICE}: runs when a device is opened or its node is made. */
  public static final int PROGRAM_DEVICE = 15;

  /** {@code BPF_CGROUP_INET_SOCK_CREATE}. */
  public static final int ATTACH_SOCKET = 2;

  /** {@code BPF_CGROUP_DEVICE}. */
  public static final int ATTACH_DEVICE = 6;

  /** {@code BPF_OBJ_NAME_LEN} less the NUL. */
  public static final int LONGEST_NAME = 15;

  /** {@code enum bpf_cmd}. */
  private enum Command {
    PROG_LOAD(5),
    PROG_ATTACH(8),
    PROG_DETACH(9),
    PROG_GET_FD_BY_ID(13),
    OBJ_GET_INFO_BY_FD(15),
    PROG_QUERY(16);

    private final int number;

    Command(int number) {
      this.number = number;
    }
  }

  private static final int ALLOW_MULTI = 2;
  private static final int REPLACE = 4;

  /**
   * More than {@code union bpf_attr} has in any kernel. One that is shorter than the kernel's own
   * would do for most commands, but PROG_QUERY of Linux 6.17 writes beyond it; a longer one is
   * taken as long as it ends with zeros.
   */
  private static final int ATTRIBUTE_SIZE = 256;

  /** The verifier gives up with EAGAIN when a signal is pending. */
  private static final int LOAD_TRIES = 5;

  /** {@code BPF_CGROUP_MAX_PROGS}. */
  private static final int MOST_PROGRAMS = 64;

  private static final byte[] LICENSE = "Apache-2.0".getBytes(StandardCharsets.US_ASCII);

  private Bpf() {}

  /**
   * What the kernel tells of a program.
   *
   * @param id its number, as long as it lives
   * @param name as it was given to {@link #load}
   */
  public record Program(int id, String name) {}

  /**
   * Loads a program.
   *
   * @param type PROGRAM_…
   * @param instructions each as {@code struct bpf_insn} read as one little-endian number
   * @param name letters, digits, {@code _} and {@code .}; at most {@link #LONGEST_NAME}
   */
  public static Descriptor load(int type, long[] instructions, String name)
      throws SystemCallException {
    // prog_type 0, insn_cnt 4, insns 8, license 16, prog_name 48
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment code = arena.allocate(8L * instructions.length, 8);
      MemorySegment.copy(instructions, 0, code, ValueLayout.JAVA_LONG, 0, instructions.length);
      MemorySegment license = arena.allocate(LICENSE.length + 1L);
      MemorySegment.copy(LICENSE, 0, license, ValueLayout.JAVA_BYTE, 0, LICENSE.length);
      MemorySegment attribute = arena.allocate(ATTRIBUTE_SIZE, 8);
      attribute.set(ValueLayout.JAVA_INT, 0, type);
      attribute.set(ValueLayout.JAVA_INT, 4, instructions.length);
      attribute.set(ValueLayout.JAVA_LONG, 8, code.address());
      attribute.set(ValueLayout.JAVA_LONG, 16, license.address());
      byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
      if (bytes.length > LONGEST_NAME) {
        throw new IllegalArgumentException("longer than " + LONGEST_NAME + ": " + name);
      }
      MemorySegment.copy(bytes, 0, attribute, ValueLayout.JAVA_BYTE, 48, bytes.length);
      for (int tries = 1; ; tries++) {
        long result = call(Command.PROG_LOAD, attribute);
        if (result >= 0) {
          return new Descriptor((int) result);
        }
        if (result != -Errno.EAGAIN || tries == LOAD_TRIES) {
          throw failure(Command.PROG_LOAD, name, result);
        }
      }
    }
  }

  /** Attaches a program to a v2 group, beside those that are there and those of groups above. */
  public static void attach(Directory group, int attachType, Descriptor program)
      throws IOException {
    attach(group, attachType, program, ALLOW_MULTI, 0);
  }

  /** Puts a program in the place of another one, at once; since Linux 5.6, EINVAL before. */
  public static void replace(Directory group, int attachType, Descriptor program, Descriptor former)
      throws IOException {
    attach(group, attachType, program, ALLOW_MULTI | REPLACE, former.number());
  }

  private static void attach(
      Directory group, int attachType, Descriptor program, int flags, int former)
      throws IOException {
    // target_fd 0, attach_bpf_fd 4, attach_type 8, attach_flags 12, replace_bpf_fd 16
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attribute = target(arena, group, attachType, program);
      attribute.set(ValueLayout.JAVA_INT, 12, flags);
      attribute.set(ValueLayout.JAVA_INT, 16, former);
      check(Command.PROG_ATTACH, group.path().toString(), attribute);
    }
  }

  /** Takes a program off a group. */
  public static void detach(Directory group, int attachType, Descriptor program)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attribute = target(arena, group, attachType, program);
      check(Command.PROG_DETACH, group.path().toString(), attribute);
    }
  }

  /** The ids of the programs that are attached to the group itself, in the order they run. */
  public static int[] query(Directory group, int attachType) throws IOException {
    // target_fd 0, attach_type 4, query_flags 8, attach_flags 12, prog_ids 16, prog_cnt 24
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ids = arena.allocate(4L * MOST_PROGRAMS, 8);
      MemorySegment attribute = arena.allocate(ATTRIBUTE_SIZE, 8);
      attribute.set(ValueLayout.JAVA_INT, 0, group.descriptor().number());
      attribute.set(ValueLayout.JAVA_INT, 4, attachType);
      attribute.set(ValueLayout.JAVA_LONG, 16, ids.address());
      attribute.set(ValueLayout.JAVA_INT, 24, MOST_PROGRAMS);
      check(Command.PROG_QUERY, group.path().toString(), attribute);
      int[] found = new int[attribute.get(ValueLayout.JAVA_INT, 24)];
      MemorySegment.copy(ids, ValueLayout.JAVA_INT, 0, found, 0, found.length);
      return found;
    }
  }

  /** Opens the program of this id; wants CAP_SYS_ADMIN. ENOENT if it is no more. */
  public static Descriptor open(int id) throws SystemCallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attribute = arena.allocate(ATTRIBUTE_SIZE, 8);
      attribute.set(ValueLayout.JAVA_INT, 0, id);
      return new Descriptor((int) check(Command.PROG_GET_FD_BY_ID, "program " + id, attribute));
    }
  }

  /** What the kernel tells of an open program. */
  public static Program info(Descriptor program) throws IOException {
    // bpf_fd 0, info_len 4, info 8. struct bpf_prog_info: id 4, name 64, which ends at 80.
    final int length = 80;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(length, 8);
      MemorySegment attribute = arena.allocate(ATTRIBUTE_SIZE, 8);
      attribute.set(ValueLayout.JAVA_INT, 0, program.number());
      attribute.set(ValueLayout.JAVA_INT, 4, length);
      attribute.set(ValueLayout.JAVA_LONG, 8, info.address());
      check(Command.OBJ_GET_INFO_BY_FD, null, attribute);
      return new Program(info.get(ValueLayout.JAVA_INT, 4), info.getString(64));
    }
  }

  private static MemorySegment target(
      Arena arena, Directory group, int attachType, Descriptor program) throws IOException {
    MemorySegment attribute = arena.allocate(ATTRIBUTE_SIZE, 8);
    attribute.set(ValueLayout.JAVA_INT, 0, group.descriptor().number());
    attribute.set(ValueLayout.JAVA_INT, 4, program.number());
    attribute.set(ValueLayout.JAVA_INT, 8, attachType);
    return attribute;
  }

  private static long check(Command command, @Nullable String on, MemorySegment attribute)
      throws SystemCallException {
    long result = call(command, attribute);
    if (result < 0) {
      throw failure(command, on, result);
    }
    return result;
  }

  private static long call(Command command, MemorySegment attribute) {
    long refused = Changes.refused(SystemCall.BPF, null, command.name(), null);
    return refused != 0
        ? refused
        : Kernel.get()
            .call(SystemCall.BPF, command.number, attribute.address(), attribute.byteSize());
  }

  private static SystemCallException failure(Command command, @Nullable String on, long result) {
    return new SystemCallException("bpf(" + command + ")", on, (int) -result);
  }
}
