package dev.holdfast.linux;

/** POSIX process groups. */
public final class ProcessGroup {
  private ProcessGroup() {}

  /** Our own. */
  public static int own() {
    return (int) Kernel.get().call(SystemCall.GETPGID, 0);
  }

  /** Sends a signal to every process of a group; false if there is none. */
  public static boolean signal(int group, int signal) throws SystemCallException {
    if (group <= 1) {
      // kill(2) takes 0 for our own group and −1 for every process there is.
      throw new IllegalArgumentException("not a process group: " + group);
    }
    long result = Kernel.get().call(SystemCall.KILL, -group, signal);
    if (result == -Errno.ESRCH) {
      return false;
    }
    if (result < 0) {
      throw new SystemCallException("kill", "process group " + group, (int) -result);
    }
    return true;
  }
}
