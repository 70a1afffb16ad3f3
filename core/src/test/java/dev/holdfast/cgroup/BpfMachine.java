package dev.holdfast.cgroup;

import java.util.Set;

/** Runs BPF programs as "eBPF Instruction Set" tells; only the instructions that ours have. */
final class BpfMachine {
  private BpfMachine() {}

  static boolean deviceAccess(
      long[] program, DeviceRule.Type type, int major, int minor, Set<DeviceRule.Access> access) {
    int wanted = 0;
    for (DeviceRule.Access one : access) {
      // include/uapi/linux/bpf.h: BPF_DEVCG_ACC_MKNOD 1, _READ 2, _WRITE 4
      wanted |=
          switch (one) {
            case MKNOD -> 1;
            case READ -> 2;
            case WRITE -> 4;
          };
    }
    int kind = type == DeviceRule.Type.BLOCK ? 1 : 2;
    return run(program, new int[] {wanted << 16 | kind, major, minor}) == 1;
  }

  /** Gives the verdict; the context may be changed. */
  static long run(long[] program, int[] context) {
    long[] registers = new long[11];
    for (int at = 0; ; at++) {
      long instruction = program[at];
      int opcode = (int) (instruction & 0xff);
      int target = (int) (instruction >> 8 & 0xf);
      int source = (int) (instruction >> 12 & 0xf);
      int offset = (short) (instruction >> 16);
      int immediate = (int) (instruction >> 32);
      switch (opcode) {
        case 0x61 -> {
          check(source == 1, instruction);
          registers[target] = Integer.toUnsignedLong(context[offset / 4]);
        }
        case 0x63 -> {
          check(target == 1, instruction);
          context[offset / 4] = (int) registers[source];
        }
        case 0x54 -> registers[target] = (registers[target] & immediate) & 0xffffffffL;
        case 0x74 -> registers[target] = (registers[target] & 0xffffffffL) >>> immediate;
        case 0xbc -> registers[target] = registers[source] & 0xffffffffL;
        case 0xb4 -> registers[target] = Integer.toUnsignedLong(immediate);
        case 0x15 -> at += registers[target] == immediate ? offset : 0;
        case 0x55 -> at += registers[target] != immediate ? offset : 0;
        case 0x5d -> at += registers[target] != registers[source] ? offset : 0;
        case 0x95 -> {
          return registers[0];
        }
        default -> throw new AssertionError("opcode " + Integer.toHexString(opcode));
      }
    }
  }

  private static void check(boolean holds, long instruction) {
    if (!holds) {
      throw new AssertionError(Long.toHexString(instruction));
    }
  }
}
