package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * {@code memory.oom.group} of v2: whether the kernel kills all members, or one. It looks at the
 * groups from the victim's own up to the one whose limit was reached: a kill for the limit of a
 * nested group, or of none in the tree, is not its matter.
 */
final class MemoryOomGroup implements Controller {
  private static final String FILE = "memory.oom.group";

  private final Directory group;

  MemoryOomGroup(Directory group) {
    this.group = group;
  }

  /** It is set for a group without any limit too: the limit that is reached may be one above. */
  @Override
  public boolean serves(Set<String> controllers) {
    return true;
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    Optional<Boolean> asked = limits.askedOomGroup();
    if (asked.isEmpty() && rows.earlier().any()) {
      return;
    }
    String known = rows.known(FILE);
    String former = known == null ? group.readIfPresent(FILE) : known;
    int errno = group.tryWrite(FILE, limits.oomGroup() ? "1" : "0");
    if (errno == 0) {
      rows.rollback().wrote(group, FILE, former);
    } else if (errno != Errno.ENOENT) {
      // ENOENT: before Linux 4.19, or there is no memory controller.
      rows.refused(request(asked, limits.oomGroup()), group, FILE, errno);
    }
  }

  private static Limits.Request request(Optional<Boolean> asked, boolean wanted) {
    return new Limits.Request(
        LimitKind.OOM_GROUP,
        "",
        LimitValue.count(wanted ? 1 : 0),
        asked.map(yes -> yes ? "yes" : "no"));
  }
}
