package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
        write(request, group, file, rows);
        return;
      }
    }
    // Without a row, it is told why there is no such controller.
  }

  /** The kernel takes one line a write: of several, as for several devices, each goes alone. */
  private static void write(Limits.Request request, Directory group, String file, LimitRows rows)
      throws IOException {
    List<String> lines =
        request.value().toString().lines().filter(line -> !line.isBlank()).toList();
    String former = shown(group, file);
    for (String line : lines) {
      int errno = group.tryWrite(file, line);
      if (errno == Errno.ENOENT) {
        rows.refused(
            request,
            group,
            file,
            errno,
            "the " + request.controller() + " controller of this group has no such file",
            "see what there is in " + group.path().getParent());
        return;
      }
      if (errno != 0) {
        rows.refused(request, group, file, errno);
        return;
      }
      rows.rollback().wrote(group, file, lines.size() == 1 ? former : null);
    }
    String now = shown(group, file);
    if (now != null) {
      rows.overruled(file, now);
    }
    if (now != null && lines.size() == 1 && !RawValue.holds(file, lines.getFirst(), now)) {
      rows.differs(request, file, now, request.value());
    } else {
      rows.enforced(
          request, new LimitValue.Text(now == null ? request.value().toString() : now), file);
    }
  }

  private static boolean has(Branch branch, String controller) {
    return branch.unified()
        ? GroupFile.words(branch.path().resolve("cgroup.controllers"))
            .map(words -> words.contains(controller))
            .orElse(false)
        : branch.holds(controller);
  }

  /** Null for one that shows nothing. */
  private static @Nullable String shown(Directory group, String file) throws IOException {
    try {
      String text = group.readIfPresent(file);
      return text == null ? null : text.strip();
    } catch (SystemCallException unreadable) {
      return null;
    }
  }
}
