package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * The blkio controller of v1: weights, and a file for each rate, with a line for each device that
 * is limited. It counts what throttling sees: since Linux 6.10 only disks that some group limits.
 */
final class BlkioV1 implements Controller {
  private final Directory group;
  private final Path sys;

  /**
   * Of this group.
   *
   * @param sys where sysfs is mounted
   */
  BlkioV1(Directory group, Path sys) {
    this.group = group;
    this.sys = sys;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("io");
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    IoWeight.apply(limits, group, IoWeight.LEGACY_BFQ, IoWeight.LEGACY, rows, sys);
    for (Limits.Request request : limits.all(LimitKind.IO_MAX)) {
      max(request, rows);
    }
  }

  private void max(Limits.Request request, LimitRows rows) throws IOException {
    if (!(request.value() instanceof LimitValue.Keyed wanted)) {
      throw new IllegalArgumentException(request.toString());
    }
    String device = request.key();
    Map<String, LimitValue> found = new LinkedHashMap<>();
    StringJoiner files = new StringJoiner(", ");
    for (Map.Entry<String, LimitValue> rate : wanted.values().entrySet()) {
      String file = IoRate.of(rate.getKey()).legacyFile();
      LimitValue value = rate.getValue();
      String text = value.equals(LimitValue.UNLIMITED) ? "0" : value.toString();
      Directory.Exchange exchange = rows.exchange(group, file, device, text, "0");
      if (exchange.errno() != 0) {
        BlockDevice.refused(request, group, file, exchange.errno(), rows, sys);
        return;
      }
      Optional<String> line = KeyedLine.of(exchange.text(), device);
      LimitValue now = line.isPresent() ? LimitRows.countOrMax(line.get()) : LimitValue.UNLIMITED;
      if (!value.equals(now)) {
        rows.differs(request, file, exchange.text().strip(), value);
        return;
      }
      found.put(rate.getKey(), value);
      files.add(file);
    }
    rows.enforced(
        request, new LimitValue.Text(device + " " + new LimitValue.Keyed(found)), files.toString());
  }

  @Override
  public void usage(Figures figures) throws IOException {
    String bytes = figures.read(group, "blkio.throttle.io_service_bytes_recursive");
    if (bytes == null) { // then without nested groups
      bytes = figures.read(group, "blkio.throttle.io_service_bytes");
    }
    figures.readBytes = sum(bytes, "Read");
    figures.writeBytes = sum(bytes, "Write");
  }

  /**
   * A line for each device and kind, and a total at the end:
   *
   * <pre>
   * 8:0 Read 4096
   * 8:0 Write 0
   * Total 4096
   * </pre>
   *
   * Without a line for any device it is not known whether the kernel counts at all.
   */
  private static OptionalLong sum(@Nullable String text, String kind) {
    long sum = -1;
    for (String line : (text == null ? "" : text).split("\n", -1)) {
      String[] words = line.split(" ", -1);
      if (words.length == 3 && words[1].equals(kind)) {
        OptionalLong number = FlatKeyed.number(words[2]);
        long more = Math.max(sum, 0) + number.orElse(-1);
        if (number.isEmpty() || more < sum) {
          return OptionalLong.empty();
        }
        sum = more;
      }
    }
    return sum < 0 ? OptionalLong.empty() : OptionalLong.of(sum);
  }
}
