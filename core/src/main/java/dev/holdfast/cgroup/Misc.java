package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code misc.max}: amounts of what a machine has few of, such as keys for encrypted guests; the
 * same files on v1 and v2, with a line for each resource.
 */
final class Misc implements Controller {
  private static final String MAX = "misc.max";
  private static final String EVENT = ".max";

  private final Directory group;

  Misc(Directory group) {
    this.group = group;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("misc");
  }

  @Override
  public boolean isPresent() {
    return group.has(MAX);
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    for (Limits.Request request : limits.all(LimitKind.MISC)) {
      String resource = request.key();
      Directory.Exchange exchange =
          rows.exchange(group, MAX, resource, request.value().toString(), "max");
      if (exchange.errno() == Errno.EINVAL) {
        rows.refused(
            request,
            group,
            MAX,
            exchange.errno(),
            "this machine has no resource " + resource,
            "give one of those in misc.capacity of the root group");
      } else {
        rows.check(request, group, MAX, request.value(), exchange, text -> value(text, resource));
      }
    }
  }

  private static @Nullable LimitValue value(String text, String resource) {
    return KeyedLine.of(text, resource).map(LimitRows::countOrMax).orElse(null);
  }

  @Override
  public void usage(Figures figures) throws IOException {
    Map<String, Long> trips = new TreeMap<>();
    Counters events = Counters.flat(figures.read(group, "misc.events")); // since Linux 5.16
    for (String name : events.names()) {
      if (name.endsWith(EVENT) && name.length() > EVENT.length()) {
        trips.put(name.substring(0, name.length() - EVENT.length()), events.get(name).orElse(0));
      }
    }
    figures.miscTrips = trips;
  }
}
