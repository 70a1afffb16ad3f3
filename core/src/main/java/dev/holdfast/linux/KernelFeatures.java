package dev.holdfast.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Asks the kernel for features by calls that cannot succeed, so nothing changes. */
public final class KernelFeatures {
  private KernelFeatures() {}

  /**
   * Whether clone3 knows CLONE_INTO_CGROUP: with a descriptor that is none, EBADF says that it
   * does. By then the kernel has made all but the last of a child, and would have copied what maps
   * our memory: so that is to be shared.
   */
  public static boolean cloneIntoCgroup() {
    final long shareMemory = 0x100;
    final long cloneIntoCgroup = 0x200000000L;
    final int size = 88;
    // struct clone_args: flags first, the cgroup's descriptor at 80.
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment arguments = arena.allocate(size, 8);
      arguments.set(ValueLayout.JAVA_LONG, 0, cloneIntoCgroup | shareMemory);
      arguments.set(ValueLayout.JAVA_LONG, 80, Integer.MAX_VALUE);
      return Kernel.get().call(SystemCall.CLONE3, arguments.address(), size) == -Errno.EBADF;
    }
  }

  /** Whether there are pidfds. */
  public static boolean pidfd() {
    return Kernel.get().call(SystemCall.PIDFD_OPEN, 0, 0) == -Errno.EINVAL;
  }

  /** Whether setns takes pidfds: into a namespace where we are already it changes nothing. */
  public static boolean setnsTakesPidfds() {
    final int uts = 0x04000000;
    try (Pidfd self = Pidfd.open((int) ProcessHandle.current().pid())) {
      long result = Kernel.get().call(SystemCall.SETNS, self.descriptor().number(), uts);
      return result == 0 || result == -Errno.EPERM;
    } catch (java.io.IOException unknown) {
      return false;
    }
  }

  /**
   * Whether somebody keeps clone for new namespaces from the kernel, as seccomp filters of
   * containers do: with flags that contradict each other the kernel itself says EINVAL.
   *
   * @param user whether a user namespace is to be among them
   */
  public static boolean namespacesFiltered(boolean user) {
    final int fs = 0x200;
    final int thread = 0x10000;
    final int mounts = 0x20000;
    final int pids = 0x20000000;
    final int users = 0x10000000;
    // CLONE_THREAD takes CLONE_SIGHAND, and that CLONE_VM; a new namespace shares no CLONE_FS.
    long flags = fs | thread | mounts | pids | (user ? users : 0);
    return Kernel.get().call(SystemCall.CLONE, flags, 0, 0) != -Errno.EINVAL;
  }

  /**
   * Whether RLIMIT_NPROC counts the tasks of each user namespace by themselves, as it does since
   * Linux 5.14. Nothing shows that but a process that is refused; process_mrelease(2) came right
   * after it, and says EBADF of a descriptor that is none.
   */
  public static boolean tasksAreCountedByUserNamespace() {
    return Kernel.get().call(SystemCall.PROCESS_MRELEASE, -1, 0) == -Errno.EBADF;
  }

  /** Whether Landlock is there and switched on. */
  public static boolean landlock() {
    final int askVersion = 1;
    return Kernel.get().call(SystemCall.LANDLOCK_CREATE_RULESET, 0, 0, askVersion) > 0;
  }

  /** Whether seccomp filters are there. */
  public static boolean seccomp() {
    final int getActionAvailable = 2;
    final int killProcess = 0x80000000;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(ValueLayout.JAVA_INT);
      action.set(ValueLayout.JAVA_INT, 0, killProcess);
      return Kernel.get().call(SystemCall.SECCOMP, getActionAvailable, 0, action.address()) == 0;
    }
  }
}
