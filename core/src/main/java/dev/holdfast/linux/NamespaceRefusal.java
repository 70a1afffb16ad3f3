package dev.holdfast.linux;

/** Which step of making a pid namespace failed, and how. */
public final class NamespaceRefusal extends Exception {
  private static final long serialVersionUID = 1L;

  /** The steps, as {@code enum namespace_step} in {@code native/protocol.h} numbers them. */
  public enum Step {
    CLONE("clone(CLONE_NEWPID)"),
    SETGROUPS("writing /proc/self/setgroups"),
    UID_MAP("writing /proc/self/uid_map"),
    GID_MAP("writing /proc/self/gid_map"),
    ROOT("setns(CLONE_NEWNS)"),
    ENTER("setns(CLONE_NEWPID)");

    private final String text;

    Step(String text) {
      this.text = text;
    }

    /** The call, for messages. */
    public String text() {
      return text;
    }
  }

  private final Step step;
  private final int errno;

  NamespaceRefusal(int step, int errno) {
    this(Step.values()[step - 1], errno);
  }

  private NamespaceRefusal(Step step, int errno) {
    super(step.text() + ": " + Errno.name(errno));
    this.step = step;
    this.errno = errno;
  }

  public Step step() {
    return step;
  }

  public int errno() {
    return errno;
  }
}
