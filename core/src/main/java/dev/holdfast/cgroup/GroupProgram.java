package dev.holdfast.cgroup;

import dev.holdfast.linux.Bpf;
import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One of our programs on a v2 group, known by its name. It is the group's: nobody keeps a
 * descriptor of it. Programs of others on the same group, and those of groups above, run too; what
 * one of them denies is denied.
 *
 * <p>Immutable; the kernel's refusals are explained.
 */
enum GroupProgram {
  DEVICES("holdfast_device", Bpf.PROGRAM_DEVICE, Bpf.ATTACH_DEVICE, "BPF_CGROUP_DEVICE"),
  MARK("holdfast_mark", Bpf.PROGRAM_SOCKET, Bpf.ATTACH_SOCKET, "BPF_CGROUP_INET_SOCK_CREATE"),
  PRIORITY("holdfast_prio", Bpf.PROGRAM_SOCKET, Bpf.ATTACH_SOCKET, "BPF_CGROUP_INET_SOCK_CREATE");

  private final String programName;
  private final int type;
  private final int attachType;
  private final String hook;

  GroupProgram(String programName, int type, int attachType, String hook) {
    this.programName = programName;
    this.type = type;
    this.attachType = attachType;
    this.hook = hook;
  }

  /** The kernel's name for where it is attached. */
  String hook() {
    return hook;
  }

  /** Whether one of this name is attached to {@code group} itself. */
  boolean isOn(Directory group) throws IOException {
    List<Descriptor> found = ours(group, -1);
    closeAll(found);
    return !found.isEmpty();
  }

  /**
   * Puts a program on {@code group}, in the place of the one of this name that was there. At no
   * moment there is none of the two.
   *
   * @return whether there was one
   */
  synchronized boolean put(Directory group, long[] code) throws HoldfastException {
    try (Descriptor program = Bpf.load(type, code, programName)) {
      int id = Bpf.info(program).id();
      List<Descriptor> former = ours(group, id);
      try {
        exchange(group, former, program);
        try {
          readBack(group, id);
        } catch (IOException failure) {
          suppressing(failure, () -> putBack(group, former, program));
          throw failure;
        }
        return !former.isEmpty();
      } finally {
        closeAll(former);
      }
    } catch (SystemCallException refused) {
      throw new HoldfastException(
          "cannot attach a program to " + group.path(),
          why(refused),
          remedy(refused.errno()),
          refused);
    } catch (IOException failure) {
      throw Refusal.of("cannot attach a program to " + group.path(), failure);
    }
  }

  /** At no moment there is none of them. */
  private void exchange(Directory group, List<Descriptor> former, Descriptor program)
      throws IOException {
    if (former.size() == 1 && replace(group, program, former.getFirst())) {
      return;
    }
    // First the new one: until the former ones are gone, what is allowed is what all allow.
    Bpf.attach(group, attachType, program);
    List<Descriptor> gone = new ArrayList<>();
    try {
      for (Descriptor one : former) {
        Bpf.detach(group, attachType, one);
        gone.add(one);
      }
    } catch (IOException failure) {
      suppressing(failure, () -> putBack(group, gone, program));
      throw failure;
    }
  }

  private void putBack(Directory group, List<Descriptor> former, Descriptor program)
      throws IOException {
    for (Descriptor one : former) {
      Bpf.attach(group, attachType, one);
    }
    Bpf.detach(group, attachType, program);
  }

  /** What is to be mended after a failure, and may fail in turn. */
  @FunctionalInterface
  private interface Mending {
    void run() throws IOException;
  }

  private static void suppressing(IOException failure, Mending mending) {
    try {
      mending.run();
    } catch (IOException second) {
      failure.addSuppressed(second);
    }
  }

  /** Takes those of this name away. */
  synchronized void remove(Directory group) throws HoldfastException {
    try {
      List<Descriptor> former = ours(group, -1);
      try {
        for (Descriptor program : former) {
          Bpf.detach(group, attachType, program);
        }
      } finally {
        closeAll(former);
      }
    } catch (IOException failure) {
      throw Refusal.of("cannot take a program off " + group.path(), failure);
    }
  }

  /** False before Linux 5.6. */
  private boolean replace(Directory group, Descriptor program, Descriptor former)
      throws IOException {
    try {
      Bpf.replace(group, attachType, program, former);
      return true;
    } catch (SystemCallException refused) {
      if (refused.errno() == Errno.EINVAL) {
        return false;
      }
      throw refused;
    }
  }

  private void readBack(Directory group, int id) throws IOException {
    for (int attached : Bpf.query(group, attachType)) {
      if (attached == id) {
        return;
      }
    }
    throw new HoldfastException(
        "cannot attach a program to " + group.path(),
        "it is not among those that the kernel shows there",
        "see whether somebody else changes the programs of this group",
        null);
  }

  private List<Descriptor> ours(Directory group, int except) throws IOException {
    List<Descriptor> ours = new ArrayList<>();
    try {
      for (int id : Bpf.query(group, attachType)) {
        Descriptor program = id == except ? null : open(id);
        if (program != null) {
          if (Bpf.info(program).name().equals(programName)) {
            ours.add(program);
          } else {
            program.close();
          }
        }
      }
      return ours;
    } catch (IOException | RuntimeException failure) {
      closeAll(ours);
      throw failure;
    }
  }

  /** Null if it is no more. */
  private static @Nullable Descriptor open(int id) throws IOException {
    try {
      return Bpf.open(id);
    } catch (SystemCallException refused) {
      if (refused.errno() == Errno.ENOENT) {
        return null;
      }
      throw refused;
    }
  }

  private static void closeAll(List<Descriptor> descriptors) {
    for (Descriptor descriptor : descriptors) {
      descriptor.close();
    }
  }

  private String why(SystemCallException refused) {
    String explained =
        switch (refused.errno()) {
          case Errno.ENOSYS -> "this kernel runs no programs";
          case Errno.EINVAL -> "this kernel runs no programs for " + hook;
          case Errno.EPERM, Errno.EACCES ->
              "the kernel takes programs only from the machine's own administrator, not from a"
                  + " user namespace";
          default -> "the kernel refuses it";
        };
    return explained + ": " + refused.getMessage();
  }

  private String remedy(int errno) {
    return switch (errno) {
      case Errno.ENOSYS, Errno.EINVAL -> "use a kernel with CONFIG_CGROUP_BPF";
      case Errno.EPERM, Errno.EACCES ->
          "run as root outside of a container, or with CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN;"
              + " and have no group above with a program that allows none below";
      case Errno.E2BIG -> "give fewer rules";
      default -> Refusal.remedy(errno);
    };
  }
}
