package dev.holdfast.cgroup;

import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What was moved to and from block devices, of either version. */
record IoStatistics(SnapshotFiles files) {
  private static final Set<String> TYPED =
      Set.of("rbytes", "wbytes", "dbytes", "rios", "wios", "dios");

  Map<String, Statistics.Io> read() throws IOException {
    Map<String, Counters> devices =
        files.legacy() ? legacy("blkio.throttle.") : Counters.nested(files.text("io.stat"));
    if (files.legacy() && devices.isEmpty()) {
      // Since Linux 6.10 throttling counts only disks on which some group is limited.
      devices = legacy("blkio.bfq.");
    }
    Map<String, Statistics.Io> all = new LinkedHashMap<>();
    devices.forEach((device, counts) -> all.put(device, typed(counts)));
    return Collections.unmodifiableMap(all);
  }

  private static Statistics.Io typed(Counters counts) {
    Map<String, Long> more = new LinkedHashMap<>();
    for (String name : counts.names()) {
      if (!TYPED.contains(name)) {
        more.put(name, counts.get(name).orElse(0));
      }
    }
    return new Statistics.Io(
        counts.get("rbytes"),
        counts.get("wbytes"),
        counts.get("dbytes"),
        counts.get("rios"),
        counts.get("wios"),
        counts.get("dios"),
        Counters.of(more));
  }

  private Map<String, Counters> legacy(String policy) throws IOException {
    Map<String, Map<String, Long>> devices = new LinkedHashMap<>();
    add(devices, files.text(policy + "io_service_bytes_recursive"), "bytes");
    add(devices, files.text(policy + "io_serviced_recursive"), "ios");
    Map<String, Counters> all = new LinkedHashMap<>();
    devices.forEach((device, values) -> all.put(device, Counters.of(values)));
    return all;
  }

  /**
   * A line for each device and kind, and a total at the end:
   *
   * <pre>
   * 8:0 Read 4096
   * 8:0 Write 0
   * 8:0 Sync 4096
   * 8:0 Async 0
   * 8:0 Discard 0
   * 8:0 Total 4096
   * Total 4096
   * </pre>
   */
  private static void add(
      Map<String, Map<String, Long>> devices, @Nullable String text, String what) {
    if (text == null) {
      return;
    }
    for (String line : text.split("\n", -1)) {
      String[] words = line.split(" ", -1);
      String kind =
          words.length != 3 || words[0].isEmpty()
              ? ""
              : switch (words[1]) {
                case "Read" -> "r";
                case "Write" -> "w";
                case "Discard" -> "d";
                default -> "";
              };
      if (!kind.isEmpty()) {
        FlatKeyed.number(words[2])
            .ifPresent(number ->
                devices
                    .computeIfAbsent(words[0], device -> new LinkedHashMap<>())
                    .put(kind + what, number));
      }
    }
  }
}
