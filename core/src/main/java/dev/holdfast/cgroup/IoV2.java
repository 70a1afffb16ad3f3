package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** The io controller of v2: weights, rates, latencies, and what went to and from block devices. */
final class IoV2 implements Controller {
  private static final String MAX = "io.max";
  private static final String LATENCY = "io.latency";

  private final Directory group;
  private final boolean limiting;
  private final Path sys;

  /**
   * Of this group.
   *
   * @param limiting whether it is v2 that limits, and not a v1 controller beside it
   * @param sys where sysfs is mounted
   */
  IoV2(Directory group, boolean limiting, Path sys) {
    this.group = group;
    this.limiting = limiting;
    this.sys = sys;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return limiting && controllers.contains("io");
  }

  @Override
  public boolean isPresent() {
    return group.has("io.stat");
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    IoWeight.apply(limits, group, IoWeight.BFQ, IoWeight.IO, rows, sys);
    for (Limits.Request request : limits.all(LimitKind.IO_MAX)) {
      set(request, MAX, rows);
    }
    for (Limits.Request request : limits.all(LimitKind.IO_LATENCY)) {
      set(request, LATENCY, rows);
    }
  }

  private void set(Limits.Request request, String file, LimitRows rows) throws IOException {
    if (!(request.value() instanceof LimitValue.Keyed wanted)) {
      throw new IllegalArgumentException(request.toString());
    }
    String device = request.key();
    Directory.Exchange exchange =
        rows.exchange(group, file, device, wanted.toString(), wanted.lifted());
    if (exchange.errno() != 0) {
      BlockDevice.refused(request, group, file, exchange.errno(), rows, sys);
      return;
    }
    Optional<String> found = KeyedLine.of(exchange.text(), device);
    if (KeyedLine.holds(wanted, found)) {
      rows.enforced(request, KeyedLine.effective(device, found), file);
    } else {
      rows.differs(request, file, found.orElse(""), wanted);
    }
  }

  @Override
  public void usage(Figures figures) throws IOException {
    String stat = figures.read(group, "io.stat");
    if (stat != null) {
      figures.readBytes = sum(stat, "rbytes=");
      figures.writeBytes = sum(stat, "wbytes=");
    }
  }

  /**
   * Nested keyed, a line for each device that was used:
   *
   * <pre>
   * MAJOR:MINOR rbytes=N wbytes=N rios=N wios=N dbytes=N dios=N
   * </pre>
   */
  private static OptionalLong sum(String stat, String key) {
    long sum = 0;
    for (String word : stat.split("\\s+", -1)) {
      if (word.startsWith(key)) {
        OptionalLong number = FlatKeyed.number(word.substring(key.length()));
        if (number.isEmpty() || sum + number.getAsLong() < sum) {
          return OptionalLong.empty();
        }
        sum += number.getAsLong();
      }
    }
    return OptionalLong.of(sum);
  }
}
