package dev.holdfast.linux;

/** Whose children orphans become (PR_SET_CHILD_SUBREAPER in prctl(2)). */
public final class Subreaper {
  private static final int SET_CHILD_SUBREAPER = 36;

  private Subreaper() {}

  /** Orphans among our descendants become our children, instead of init's. */
  public static void become() throws SystemCallException {
    Kernel.get().check(SystemCall.PRCTL, null, SET_CHILD_SUBREAPER, 1, 0, 0);
  }
}
