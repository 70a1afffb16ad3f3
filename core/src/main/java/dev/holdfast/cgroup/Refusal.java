package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;

/** Words for what the kernel refuses. */
final class Refusal {
  private Refusal() {}

  /** An error about {@code what}, explained by the failed call. */
  static HoldfastException of(String what, IOException failure) {
    return of(what, failure, remedy(errno(failure)));
  }

  /** As above, where a better remedy is known than the errno tells. */
  static HoldfastException of(String what, IOException failure, String remedy) {
    if (failure instanceof HoldfastException known) {
      return known;
    }
    String why = failure.getMessage();
    return new HoldfastException(what, why == null ? failure.toString() : why, remedy, failure);
  }

  /** As above, where the group is not ours unless something of our own stood in the way. */
  static HoldfastException ofDelegation(String what, IOException failure) {
    int errno = errno(failure);
    return of(what, failure, isOfOurs(errno) ? remedy(errno) : DelegationProbe.remedy(false));
  }

  /** Whether it is about what this process has, whatever it asked for. */
  static boolean isOfOurs(int errno) {
    return errno == Errno.EMFILE || errno == Errno.ENFILE || errno == Errno.ENOMEM;
  }

  /** The errno of a failed system call; 0 for other failures. */
  static int errno(IOException failure) {
    return failure instanceof SystemCallException call ? call.errno() : 0;
  }

  /** Whether a file or directory is not there, or not any more. */
  static boolean isGone(IOException failure) {
    return Errno.isGone(errno(failure));
  }

  /** For a file of {@code controller} that may be missing while the group is there. */
  static String remedy(int errno, Directory group, String controller) {
    return errno == Errno.ENOENT && group.has(Joining.FILE)
        ? "this group has no "
            + controller
            + " controller: have it enabled in the group above, or see holdfast doctor for why it"
            + " cannot be"
        : remedy(errno);
  }

  static String remedy(int errno) {
    return switch (errno) {
      case Errno.EROFS -> "have the cgroup filesystem mounted writable";
      case Errno.EACCES, Errno.EPERM ->
          "have a cgroup subtree delegated to this user, or run as root";
      case Errno.EEXIST -> "choose another name";
      case Errno.ENOENT, Errno.ENODEV -> "somebody removed the group; make a new one";
      case Errno.EAGAIN ->
          "raise cgroup.max.descendants or cgroup.max.depth of a group above, or pids.max";
      case Errno.EBUSY -> "end or move the processes that keep it busy, or try again";
      case Errno.EOPNOTSUPP -> "make the group a domain: it, or one near it, is threaded";
      case Errno.ENOSPC -> "remove groups: the kernel has no room for another one";
      case Errno.EMFILE, Errno.ENFILE -> "raise the limit of open files";
      case Errno.ENOMEM -> "free memory";
      case Errno.EINVAL, Errno.ERANGE ->
          "give what this kernel takes there, as its document on control groups says";
      default -> "see the kernel's document on control groups for this error";
    };
  }
}
