package dev.holdfast.cgroup;

import java.util.Arrays;

/**
 * Writes instructions of the kernel's virtual machine (BPF; "eBPF Instruction Set" in its
 * documents): just those that our programs need. Each is 8 bytes, read here as one little-endian
 * number:
 *
 * <pre>
 * opcode (8 bits) target (4) source (4) offset (16) immediate (32)
 * </pre>
 *
 * The program gets its context in register 1 and gives its verdict in register 0.
 *
 * <p>Not thread-safe.
 */
final class BpfCode {
  private static final int LOAD_WORD = 0x61;
  private static final int STORE_WORD = 0x63;
  private static final int AND = 0x54;
  private static final int SHIFT_RIGHT = 0x74;
  private static final int MOVE = 0xbc;
  private static final int MOVE_NUMBER = 0xb4;
  private static final int JUMP_IF_NUMBER = 0x15;
  private static final int JUMP_UNLESS_NUMBER = 0x55;
  private static final int JUMP_UNLESS_SAME = 0x5d;
  private static final int EXIT = 0x95;

  private static final int JUMP_CLASS = 0x05;
  private static final int CLASS_MASK = 0x07;

  private long[] code = new long[16];
  private int length;
  private int block;

  /** {@code target = *(u32 *)(source + offset)}. */
  BpfCode load(int target, int source, int offset) {
    return put(LOAD_WORD, target, source, offset, 0);
  }

  /** {@code *(u32 *)(target + offset) = source}. */
  BpfCode store(int target, int offset, int source) {
    return put(STORE_WORD, target, source, offset, 0);
  }

  BpfCode and(int target, int number) {
    return put(AND, target, 0, 0, number);
  }

  BpfCode shiftRight(int target, int bits) {
    return put(SHIFT_RIGHT, target, 0, 0, bits);
  }

  BpfCode move(int target, int source) {
    return put(MOVE, target, source, 0, 0);
  }

  /** The upper half of the register becomes 0. */
  BpfCode set(int target, int number) {
    return put(MOVE_NUMBER, target, 0, 0, number);
  }

  /** Leaves the block if the register is {@code number}. */
  BpfCode leaveIf(int register, int number) {
    return put(JUMP_IF_NUMBER, register, 0, 0, number);
  }

  /** Leaves the block unless the register is {@code number}, which is not negative. */
  BpfCode leaveUnless(int register, int number) {
    return put(JUMP_UNLESS_NUMBER, register, 0, 0, number);
  }

  /** Leaves the block unless both registers are the same. */
  BpfCode leaveUnlessSame(int register, int other) {
    return put(JUMP_UNLESS_SAME, register, other, 0, 0);
  }

  /** Ends the program with this verdict. */
  BpfCode exit(int verdict) {
    return set(0, verdict).put(EXIT, 0, 0, 0, 0);
  }

  /** Ends the block: here those go on who leave it. */
  BpfCode endBlock() {
    for (int at = block; at < length; at++) {
      boolean jump = (code[at] & CLASS_MASK) == JUMP_CLASS && (code[at] & 0xff) != EXIT;
      if (jump) {
        // Counted from the instruction after the jump.
        code[at] |= (long) (length - at - 1) << 16;
      }
    }
    block = length;
    return this;
  }

  long[] code() {
    return Arrays.copyOf(code, length);
  }

  private BpfCode put(int opcode, int target, int source, int offset, int immediate) {
    if (length == code.length) {
      code = Arrays.copyOf(code, 2 * length);
    }
    code[length++] =
        opcode
            | (long) target << 8
            | (long) source << 12
            | (long) (offset & 0xffff) << 16
            | (long) immediate << 32;
    return this;
  }
}
