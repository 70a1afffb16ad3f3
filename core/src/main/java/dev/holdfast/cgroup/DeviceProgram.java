package dev.holdfast.cgroup;

/**
 * A device policy as a program of type {@code BPF_PROG_TYPE_CGROUP_DEVICE}: the kernel runs it when
 * a member opens a device or makes a node for one, and refuses that (EPERM) unless it ends with 1.
 *
 * <p>Its context ({@code struct bpf_cgroup_dev_ctx}) is three words: the access wanted in the upper
 * half of the first and the type in the lower, the major and the minor number.
 */
final class DeviceProgram {
  private static final int BLOCK = 1;
  private static final int CHARACTER = 2;
  private static final int HALF = 16;
  private static final int LOWER_HALF = 0xffff;

  private static final int VERDICT_OR_SCRATCH = 0;
  private static final int CONTEXT = 1;
  private static final int TYPE = 2;
  private static final int ACCESS = 3;
  private static final int MAJOR = 4;
  private static final int MINOR = 5;

  private DeviceProgram() {}

  static long[] of(DevicePolicy policy) {
    BpfCode code =
        new BpfCode()
            .load(TYPE, CONTEXT, 0)
            .move(ACCESS, TYPE)
            .and(TYPE, LOWER_HALF)
            .shiftRight(ACCESS, HALF)
            .load(MAJOR, CONTEXT, 4)
            .load(MINOR, CONTEXT, 8)
            .endBlock();
    for (DeviceRule exception : policy.exceptions()) {
      code.leaveUnless(TYPE, exception.type() == DeviceRule.Type.BLOCK ? BLOCK : CHARACTER)
          .move(VERDICT_OR_SCRATCH, ACCESS)
          .and(VERDICT_OR_SCRATCH, exception.mask());
      if (exception.allow()) {
        // All that is wanted.
        code.leaveUnlessSame(VERDICT_OR_SCRATCH, ACCESS);
      } else {
        // Any of it.
        code.leaveIf(VERDICT_OR_SCRATCH, 0);
      }
      if (exception.major().isPresent()) {
        code.leaveUnless(MAJOR, exception.major().getAsInt());
      }
      if (exception.minor().isPresent()) {
        code.leaveUnless(MINOR, exception.minor().getAsInt());
      }
      code.exit(exception.allow() ? 1 : 0).endBlock();
    }
    return code.exit(policy.allowedByDefault() ? 1 : 0).code();
  }
}
