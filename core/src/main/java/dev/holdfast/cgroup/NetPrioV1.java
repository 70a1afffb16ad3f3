package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The net_prio controller of v1: the priority of what members send, by network interface. Its file
 * has a line for each interface of the network namespace of who reads it:
 *
 * <pre>
 * interface " " priority "\n"
 * </pre>
 */
final class NetPrioV1 implements Controller {
  private static final String FILE = "net_prio.ifpriomap";

  private final Directory group;

  NetPrioV1(Directory group) {
    this.group = group;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains(LimitKind.NET_PRIORITY.controller());
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    for (Limits.Request request : limits.all(LimitKind.NET_PRIORITY)) {
      if (!request.key().isEmpty()) {
        set(request, List.of(request.key()), rows);
      } else {
        set(request, interfaces(group.read(FILE)), rows);
      }
    }
  }

  private void set(Limits.Request request, List<String> interfaces, LimitRows rows)
      throws IOException {
    String before = group.read(FILE);
    for (String one : interfaces) {
      int errno = group.tryWrite(FILE, one + " " + request.value());
      if (errno != 0) {
        rows.refused(request, group, FILE, errno);
        return;
      }
      OptionalLong former = FlatKeyed.value(before, one);
      rows.rollback()
          .wrote(group, FILE, former.isPresent() ? one + " " + former.getAsLong() : null);
    }
    rows.readBack(request, group, FILE, request.value(), text -> common(text, interfaces));
  }

  private static List<String> interfaces(String map) {
    List<String> interfaces = new ArrayList<>();
    for (String line : map.strip().lines().toList()) {
      interfaces.add(line.split(" ", 2)[0]);
    }
    return interfaces;
  }

  /** The priority that all these interfaces have; null if they differ. */
  private static @Nullable LimitValue common(String map, List<String> interfaces) {
    LimitValue common = null;
    for (String one : interfaces) {
      var priority = FlatKeyed.value(map, one);
      if (priority.isEmpty()
          || (common != null && !common.equals(LimitValue.count(priority.getAsLong())))) {
        return null;
      }
      common = LimitValue.count(priority.getAsLong());
    }
    return common;
  }
}
