package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * Files that are set by name, each in the hierarchy that has its controller; those of {@code
 * cgroup.} in the one with the members.
 */
final class Raw implements Controller {
  private static final String CORE = "cgroup";

  private final List<Branch> branches;

  Raw(List<Branch> branches) {
    this.branches = branches;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return true;
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    for (Limits.Request request : limits.all(LimitKind.SET)) {
      set(request, rows);
    }
  }

  private void set(Limits.Request request, LimitRows rows) throws IOException {
    String file = request.key();
    for (Branch branch : branches) {
      Directory group = branch.directory();
      boolean core = request.controller().equals(CORE);
      if (core ? group.has(file) : has(branch, request.controller())) {
        int errno = write(group, file, request.value().toString());
        if (errno == Errno.ENOENT) {
          rows.refused(
              request,
              "the " + request.controller() + " controller of this group has no such file",
              "see what there is in " + group.path().getParent(),
              new SystemCallException("write", group.path().resolve(file).toString(), errno));
        } else if (errno != 0) {
          rows.refused(request, group, file, errno);
        } else {
          rows.enforced(request, new LimitValue.Text(shown(group, file, request)), file);
        }
        return;
      }
    }
    // Without a row, it is told why there is no such controller.
  }

  /** The kernel takes one line a write: of several, as for several devices, each goes alone. */
  private static int write(Directory group, String file, String text) throws IOException {
    int errno = 0;
    for (String line : text.lines().toList()) {
      errno = errno == 0 && !line.isBlank() ? group.tryWrite(file, line) : errno;
    }
    return errno;
  }

  private static boolean has(Branch branch, String controller) {
    return branch.unified()
        ? GroupFile.words(branch.path().resolve("cgroup.controllers"))
            .map(words -> words.contains(controller))
            .orElse(false)
        : branch.holds(controller);
  }

  /** What a file shows is not always what was written to it, and some show nothing. */
  private static String shown(Directory group, String file, Limits.Request request)
      throws IOException {
    try {
      return group.read(file).strip();
    } catch (SystemCallException unreadable) {
      return request.value().toString();
    }
  }
}
