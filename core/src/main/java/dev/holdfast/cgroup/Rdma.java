package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/** {@code rdma.max}: handles and objects of RDMA devices; the same file on v1 and v2. */
final class Rdma implements Controller {
  private static final String MAX = "rdma.max";

  private final Directory group;

  Rdma(Directory group) {
    this.group = group;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("rdma");
  }

  @Override
  public boolean isPresent() {
    return group.has(MAX);
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    for (Limits.Request request : limits.all(LimitKind.RDMA)) {
      set(request, rows);
    }
  }

  private void set(Limits.Request request, LimitRows rows) throws IOException {
    if (!(request.value() instanceof LimitValue.Keyed wanted)) {
      throw new IllegalArgumentException(request.toString());
    }
    String device = request.key();
    Directory.Exchange exchange =
        rows.exchange(group, MAX, device, wanted.toString(), wanted.lifted());
    if (exchange.errno() == Errno.ENODEV) {
      rows.refused(
          request,
          group,
          MAX,
          exchange.errno(),
          "there is no RDMA device " + device,
          "give one of those in /sys/class/infiniband");
    } else if (exchange.errno() != 0) {
      rows.refused(request, group, MAX, exchange.errno());
    } else {
      Optional<String> found = KeyedLine.of(exchange.text(), device);
      if (KeyedLine.holds(wanted, found)) {
        rows.enforced(request, KeyedLine.effective(device, found), MAX);
      } else {
        rows.differs(request, MAX, found.orElse(""), wanted);
      }
    }
  }
}
