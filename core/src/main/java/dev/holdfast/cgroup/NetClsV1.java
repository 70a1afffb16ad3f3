package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * The net_cls controller of v1: packets of the members' sockets bear a class for tc and iptables.
 */
final class NetClsV1 implements Controller {
  private static final String FILE = "net_cls.classid";

  private final Directory group;

  NetClsV1(Directory group) {
    this.group = group;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains(LimitKind.NET_CLASS.controller());
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    Optional<Limits.Request> request = limits.get(LimitKind.NET_CLASS);
    if (request.isPresent()) {
      rows.set(request.get(), group, FILE, request.get().value().toString(), LimitRows::countOrMax);
    }
  }
}
