package dev.holdfast.containment;

import dev.holdfast.cgroup.Absence;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.KernelFeatures;
import dev.holdfast.linux.NamespaceRefusal;
import dev.holdfast.linux.ProcessStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What keeps us from making pid namespaces. {@link #find} looks at the switches that distributions
 * know and asks the kernel by calls that cannot succeed; so it changes nothing, and a policy that
 * it does not know shows in use only.
 */
public final class NamespaceObstacle {
  private static final long CAP_SYS_ADMIN = 1L << 21;
  private static final String ENOUGH =
      "raise user.max_user_namespaces, user.max_pid_namespaces and user.max_mnt_namespaces"
          + " (sysctl), or be less deep in namespaces";
  private static final Absence TOO_OLD =
      new Absence("this kernel's setns(2) takes no pidfds", "run on Linux 5.8 or later");

  private final Path proc;

  NamespaceObstacle(Path proc) {
    this.proc = proc;
  }

  /** What is in the way; empty if nothing is seen. */
  public static Optional<Absence> find() {
    return new NamespaceObstacle(Path.of("/proc")).look();
  }

  Optional<Absence> look() {
    if (!KernelFeatures.setnsTakesPidfds()) {
      return Optional.of(TOO_OLD);
    }
    if (!Files.exists(proc.resolve("self/ns/pid"))) {
      return Optional.of(
          new Absence(
              "there is no " + proc + "/self/ns/pid",
              "mount /proc, or run a kernel with CONFIG_PID_NS"));
    }
    for (String kind : new String[] {"pid", "mnt"}) {
      if (isNone(kind)) {
        return Optional.of(none(kind));
      }
    }
    boolean privileged = isPrivileged();
    if (KernelFeatures.namespacesFiltered(!privileged)) {
      return Optional.of(
          new Absence(
              "a seccomp filter refuses clone(2) for new namespaces",
              "have the container's seccomp profile allow them, or give us CAP_SYS_ADMIN"));
    }
    return privileged ? Optional.empty() : users();
  }

  /** What keeps those without privilege from a user namespace, in which they have all. */
  private Optional<Absence> users() {
    if (!Files.exists(proc.resolve("self/ns/user"))) {
      return Optional.of(
          new Absence("this kernel has no user namespaces", "run as root with CAP_SYS_ADMIN"));
    }
    if (isNone("user")) {
      return Optional.of(none("user"));
    }
    if (text("sys/kernel/unprivileged_userns_clone").equals("0")) {
      return Optional.of(
          new Absence(
              "kernel.unprivileged_userns_clone is 0",
              "sysctl kernel.unprivileged_userns_clone=1, or run as root"));
    }
    if (text("sys/kernel/apparmor_restrict_unprivileged_userns").equals("1")
        && text("self/attr/current").startsWith("unconfined")) {
      return Optional.of(apparmor("kernel.apparmor_restrict_unprivileged_userns is 1"));
    }
    return Optional.empty();
  }

  /** What a refusal means, and how to mend it. */
  static Absence of(NamespaceRefusal refusal) {
    String why = "a pid namespace is refused: " + refusal.getMessage();
    return switch (refusal.step()) {
      case CLONE ->
          switch (refusal.errno()) {
            case Errno.EPERM ->
                find()
                    .map(found -> new Absence(why + ", " + found.reason(), found.remedy()))
                    .orElse(
                        new Absence(
                            why + ", not permitted",
                            "have user namespaces allowed for this user, leave the chroot(2) if"
                                + " there is one, or run as root with CAP_SYS_ADMIN"));
            case Errno.ENOSPC -> new Absence(why + ", too many namespaces", ENOUGH);
            case Errno.EINVAL, Errno.ENOSYS ->
                new Absence(why, "run a kernel with CONFIG_PID_NS and CONFIG_USER_NS");
            default -> new Absence(why, "see clone(2)");
          };
      case SETGROUPS, UID_MAP, GID_MAP ->
          refusal.errno() == Errno.ENOENT
              ? new Absence(why + ", no such file", "mount /proc")
              : apparmor(why);
      case ROOT ->
          refusal.errno() == Errno.EXDEV
              ? new Absence(
                  why + ", our root directory is not that of our mount namespace",
                  "run outside of the chroot(2), or have a root of our own by pivot_root(2)")
              : TOO_OLD;
      case ENTER -> new Absence(why, "see setns(2)");
    };
  }

  static HoldfastException exception(String what, NamespaceRefusal refusal) {
    Absence absence = of(refusal);
    return new HoldfastException(what, absence.reason(), absence.remedy(), refusal);
  }

  private static Absence apparmor(String why) {
    return new Absence(
        why,
        "have AppArmor allow user namespaces to java (a profile with `userns,`), or sysctl"
            + " kernel.apparmor_restrict_unprivileged_userns=0");
  }

  private static Absence none(String kind) {
    return new Absence("user.max_" + kind + "_namespaces is 0", ENOUGH);
  }

  private boolean isNone(String kind) {
    return text("sys/user/max_" + kind + "_namespaces").equals("0");
  }

  /** {@code CapEff: 000001fffeffffff} in {@code /proc/self/status}. */
  private boolean isPrivileged() {
    String capabilities = ProcessStatus.field(text("self/status"), "CapEff:");
    return capabilities != null && (Long.parseUnsignedLong(capabilities, 16) & CAP_SYS_ADMIN) != 0;
  }

  /**
   * Of a number below /proc/sys this may be the first digit alone: it is given at offset 0 only,
   * and {@link Files#readString} begins with one byte where the size is 0. So only 0 and 1 are
   * told.
   */
  private String text(String file) {
    try {
      return Files.readString(proc.resolve(file)).strip();
    } catch (IOException absent) {
      return "";
    }
  }
}
