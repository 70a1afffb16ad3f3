package dev.holdfast.cgroup;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Takes {@link Statistics} of one group, again and again. Thread-safe. */
final class StatisticsFiles {
  private final List<SnapshotFiles> all = new ArrayList<>();
  private final SnapshotFiles unified;
  private final CpuStatistics cpu;
  private final MemoryStatistics memory;
  private final IoStatistics io;
  private final SnapshotFiles pids;
  private final SnapshotFiles hugeTlb;
  private final SnapshotFiles rdma;
  private final SnapshotFiles misc;
  private final List<String> pageSizes;

  /**
   * Of a group.
   *
   * @param pageSizes of huge pages, as the controller's files are named, such as {@code 2MB}
   */
  StatisticsFiles(List<Branch> branches, List<String> pageSizes) {
    Map<String, SnapshotFiles> legacy = new LinkedHashMap<>();
    SnapshotFiles v2 = SnapshotFiles.none();
    for (Branch branch : branches) {
      SnapshotFiles files = SnapshotFiles.of(branch);
      all.add(files);
      if (branch.unified()) {
        v2 = files;
      } else {
        branch.controllers().forEach(controller -> legacy.put(controller, files));
      }
    }
    this.unified = v2;
    // A controller is in one hierarchy at a time: v1's if we are in it, else v2.
    this.cpu =
        new CpuStatistics(
            unified,
            legacy.getOrDefault("cpu", unified),
            legacy.getOrDefault("cpuacct", SnapshotFiles.none()));
    this.memory = new MemoryStatistics(legacy.getOrDefault("memory", unified));
    this.io = new IoStatistics(legacy.getOrDefault("blkio", unified));
    this.pids = legacy.getOrDefault("pids", unified);
    this.hugeTlb = legacy.getOrDefault("hugetlb", unified);
    this.rdma = legacy.getOrDefault("rdma", unified);
    this.misc = legacy.getOrDefault("misc", unified);
    this.pageSizes = List.copyOf(pageSizes);
  }

  Statistics read() throws IOException {
    for (SnapshotFiles files : all) {
      files.begin();
    }
    return new Statistics(
        groups(),
        cpu.read(),
        memory.read(),
        memory.swap(),
        pids(),
        io.read(),
        hugeTlb(),
        rdma(),
        misc(),
        pressure());
  }

  private Statistics.Groups groups() throws IOException {
    Counters stat = Counters.flat(unified.text("cgroup.stat"));
    return new Statistics.Groups(
        stat.get("nr_descendants"),
        stat.get("nr_dying_descendants"),
        Figures.micros(FlatKeyed.value(unified.text("cgroup.stat.local"), "frozen_usec")),
        stat);
  }

  private Statistics.Pids pids() throws IOException {
    OptionalLong events = FlatKeyed.value(pids.text("pids.events"), "max");
    String local = pids.text("pids.events.local", null);
    return new Statistics.Pids(
        pids.number("pids.current", "pids.current"),
        pids.number("pids.peak", "pids.peak"),
        local == null ? OptionalLong.empty() : events,
        local == null ? events : FlatKeyed.value(local, "max"));
  }

  private Map<String, Statistics.HugeTlb> hugeTlb() throws IOException {
    Map<String, Statistics.HugeTlb> sizes = new LinkedHashMap<>();
    for (String size : pageSizes) {
      String name = "hugetlb." + size + ".";
      OptionalLong current = hugeTlb.number(name + "current", name + "usage_in_bytes");
      if (current.isEmpty()) {
        continue;
      }
      OptionalLong localMax = FlatKeyed.value(hugeTlb.text(name + "events.local", null), "max");
      sizes.put(
          size,
          new Statistics.HugeTlb(
              current,
              hugeTlb.number(null, name + "max_usage_in_bytes"),
              hugeTlb.number(name + "rsvd.current", name + "rsvd.usage_in_bytes"),
              hugeTlb.number(null, name + "rsvd.max_usage_in_bytes"),
              FlatKeyed.value(hugeTlb.text(name + "events", null), "max"),
              hugeTlb.legacy() ? hugeTlb.number(null, name + "failcnt") : localMax,
              hugeTlb.number(null, name + "rsvd.failcnt"),
              nodes(hugeTlb.text(name + "numa_stat"))));
    }
    return Collections.unmodifiableMap(sizes);
  }

  /** Bytes; v1 has them twice, the second time with nested groups. */
  private Map<Integer, Long> nodes(@Nullable String text) {
    String prefix = hugeTlb.legacy() ? NodeCounts.HIERARCHICAL : "";
    Map<Integer, Long> nodes = new LinkedHashMap<>();
    NodeCounts.withTotals(text, prefix, 1)
        .forEach((node, counts) -> counts.get("total").ifPresent(bytes -> nodes.put(node, bytes)));
    return Collections.unmodifiableMap(nodes);
  }

  private Map<String, Statistics.Rdma> rdma() throws IOException {
    Map<String, Statistics.Rdma> devices = new LinkedHashMap<>();
    Counters.nested(rdma.text("rdma.current"))
        .forEach((device, counts) ->
            devices.put(
                device, new Statistics.Rdma(counts.get("hca_handle"), counts.get("hca_object"))));
    return Collections.unmodifiableMap(devices);
  }

  /** The events are keyed {@code RESOURCE.max}. */
  private Map<String, Statistics.Misc> misc() throws IOException {
    Counters current = Counters.flat(misc.text("misc.current"));
    if (current.isEmpty()) {
      return Map.of();
    }
    Counters peak = Counters.flat(misc.text("misc.peak"));
    Counters events = Counters.flat(misc.text("misc.events"));
    Counters local = Counters.flat(misc.text("misc.events.local"));
    Map<String, Statistics.Misc> resources = new LinkedHashMap<>();
    for (String name : current.names()) {
      String max = name + ".max";
      resources.put(
          name,
          new Statistics.Misc(current.get(name), peak.get(name), events.get(max), local.get(max)));
    }
    return Collections.unmodifiableMap(resources);
  }

  private Map<PressureKind, PressureStall> pressure() throws IOException {
    Map<PressureKind, PressureStall> stalls = new EnumMap<>(PressureKind.class);
    for (PressureKind kind : PressureKind.values()) {
      PressureStall.parse(unified.text(kind.file())).ifPresent(stall -> stalls.put(kind, stall));
    }
    return Collections.unmodifiableMap(stalls);
  }
}
