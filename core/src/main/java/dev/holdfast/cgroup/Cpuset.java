package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The cpuset controller: which processors and memory nodes the members may use. v1 refuses what the
 * group above does not have; v2 takes it, and gives what there is of it or, where that is nothing,
 * all that the group above has. So what is in effect is looked at, too.
 */
final class Cpuset implements Controller {
  private static final String CPUS = "cpuset.cpus";
  private static final String MEMS = "cpuset.mems";
  private static final String PARTITION = "cpuset.cpus.partition";

  private final Directory group;
  private final boolean unified;

  Cpuset(Directory group, boolean unified) {
    this.group = group;
    this.unified = unified;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("cpuset");
  }

  @Override
  public boolean isPresent() {
    return group.has(CPUS);
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    set(
        limits.get(LimitKind.CPUSET_MEMS),
        MEMS,
        unified ? "cpuset.mems.effective" : "cpuset.effective_mems",
        rows);
    set(
        limits.get(LimitKind.CPUSET_CPUS),
        CPUS,
        unified ? "cpuset.cpus.effective" : "cpuset.effective_cpus",
        rows);
    Optional<Limits.Request> partition = limits.get(LimitKind.CPUSET_PARTITION);
    if (partition.isPresent() && unified) {
      partition(partition.get(), rows);
    }
  }

  /** The kernel takes what cannot be, and says {@code root invalid (why)} from then on. */
  private void partition(Limits.Request request, LimitRows rows) throws IOException {
    String wanted = request.value().toString();
    String former = group.readIfPresent(PARTITION);
    Directory.Exchange exchange = group.exchange(PARTITION, wanted, former);
    String shown = exchange.text().strip();
    if (exchange.errno() == 0 && former != null && shown.startsWith(wanted + " invalid")) {
      group.tryWrite(PARTITION, word(former));
      rows.refused(
          request,
          "the kernel makes none of this group: " + PARTITION + " reads \"" + shown + "\"",
          "give it processors of its own, in a group that is a partition itself",
          null);
      return;
    }
    if (exchange.errno() == 0) {
      rows.rollback().wrote(group, PARTITION, former == null ? null : word(former));
    }
    rows.check(request, group, PARTITION, request.value(), exchange, Cpuset::text);
  }

  /** What is written, without the kernel's reason why it means nothing. */
  private static String word(String shown) {
    return shown.strip().split(" ", 2)[0];
  }

  /** Nothing can join a group of v1 that has no processors or no memory nodes. */
  static void seed(Directory group, Directory above) throws IOException {
    for (String file : List.of(CPUS, MEMS)) {
      String own = group.readIfPresent(file);
      String given = above.readIfPresent(file);
      if (own != null && given != null && own.isBlank() && !given.isBlank()) {
        group.write(file, given.strip());
      }
    }
  }

  private void set(
      Optional<Limits.Request> asked, String file, String effectiveFile, LimitRows rows)
      throws IOException {
    if (asked.isEmpty()) {
      return;
    }
    Limits.Request request = asked.get();
    IdList wanted = IdList.parse(request.value().toString());
    Directory.Exchange exchange = rows.exchange(group, file, wanted.toString());
    int errno = exchange.errno();
    if (errno == Errno.EACCES || errno == Errno.EINVAL || errno == Errno.ERANGE) {
      Optional<String> above = above(effectiveFile);
      rows.refused(
          request,
          group,
          file,
          errno,
          "the kernel refuses "
              + wanted
              + above.map(has -> ", the group above has " + has).orElse(""),
          above.map(has -> "give some of " + has).orElse("give what this machine has"));
      return;
    }
    if (errno != 0) {
      rows.refused(request, group, file, errno);
      return;
    }
    String shown = group.readIfPresent(effectiveFile); // v1: since Linux 3.17
    IdList effective = list(shown == null ? group.read(file) : shown);
    if (effective == null || effective.isEmpty() || !wanted.contains(effective)) {
      // An empty line: nothing at all would be no write.
      String former = String.valueOf(exchange.former()).strip();
      group.tryWrite(file, former.isEmpty() ? "\n" : former);
      rows.refused(
          request,
          "none of " + wanted + " can be had here: in effect was " + effective,
          "give some of " + effective,
          null);
      return;
    }
    rows.enforced(request, new LimitValue.Text(effective.toString()), file);
  }

  private Optional<String> above(String effectiveFile) {
    Path above = group.path().getParent();
    return above == null ? Optional.empty() : GroupFile.text(above.resolve(effectiveFile));
  }

  private static @Nullable IdList list(String text) {
    try {
      return IdList.parse(text.strip());
    } catch (IllegalArgumentException unknown) {
      return null;
    }
  }

  private static LimitValue text(String text) {
    return new LimitValue.Text(text.strip());
  }
}
