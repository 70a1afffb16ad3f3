package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The files behind {@link Statistics}, which stay open. Thread-safe. */
final class StatisticsFiles {
  private static final String TOTAL = "total_";

  private final List<Branch> branches;
  private final List<HugePages.Size> hugePages;

  /**
   * Of a group.
   *
   * @param hugePages the sizes of pages that the kernel has
   */
  StatisticsFiles(List<Branch> branches, List<HugePages.Size> hugePages) {
    this.branches = branches;
    this.hugePages = hugePages;
  }

  Statistics read() throws IOException {
    File memory = of("memory");
    File pids = of("pids");
    File misc = of("misc");
    return new Statistics(
        cpu(),
        memory.legacy ? total(memory.flat("memory.stat")) : memory.flat("memory.stat"),
        memory.number("memory.current", "memory.usage_in_bytes"),
        memory.number("memory.peak", "memory.max_usage_in_bytes"),
        memory.number("memory.swap.current", null),
        memory.number("memory.swap.peak", null),
        memory.number("memory.zswap.current", null),
        memory.legacy ? Counters.NONE : memory.flat("memory.events"),
        memory.flat(memory.legacy ? "memory.oom_control" : "memory.events.local"),
        memory.flat("memory.swap.events"),
        io(),
        pids.number("pids.current", "pids.current"),
        pids.number("pids.peak", "pids.peak"),
        pids.flat("pids.events"),
        hugetlb(of("hugetlb")),
        Counters.nested(of("rdma").text("rdma.current")),
        misc.flat("misc.current"),
        misc.flat("misc.events"),
        pressure());
  }

  /** Both versions' where both are in use: the time is v2's, the throttling the controller's. */
  private Counters cpu() throws IOException {
    Map<String, Long> all = new LinkedHashMap<>();
    for (Branch branch : branches) {
      if (branch.unified() || branch.holds("cpu")) {
        Counters some = Counters.flat(branch.directory().readKept("cpu.stat"));
        for (String name : some.names()) {
          all.putIfAbsent(name, some.get(name).orElse(0));
        }
      }
      if (branch.holds("cpuacct")) {
        FlatKeyed.number(branch.directory().readKept("cpuacct.usage"))
            .ifPresent(nanos -> all.putIfAbsent("usage_usec", nanos / 1000));
      }
    }
    return Counters.of(all);
  }

  private static Counters total(Counters all) {
    Map<String, Long> totals = new LinkedHashMap<>();
    for (String name : all.names()) {
      if (name.startsWith(TOTAL)) {
        totals.put(name.substring(TOTAL.length()), all.get(name).orElse(0));
      }
    }
    return Counters.of(totals);
  }

  private Map<String, Counters> io() throws IOException {
    File blkio = of("blkio");
    if (!blkio.legacy) {
      return Counters.nested(of("io").text("io.stat"));
    }
    Map<String, Map<String, Long>> devices = new LinkedHashMap<>();
    addLegacy(devices, blkio.text("blkio.throttle.io_service_bytes_recursive"), "bytes");
    addLegacy(devices, blkio.text("blkio.throttle.io_serviced_recursive"), "ios");
    Map<String, Counters> all = new LinkedHashMap<>();
    devices.forEach((device, values) -> all.put(device, Counters.of(values)));
    return Collections.unmodifiableMap(all);
  }

  /**
   * A line for each device and kind, and a total at the end:
   *
   * <pre>
   * 8:0 Read 4096
   * 8:0 Write 0
   * Total 4096
   * </pre>
   */
  private static void addLegacy(
      Map<String, Map<String, Long>> devices, @Nullable String text, String what) {
    if (text == null) {
      return;
    }
    for (String line : text.split("\n", -1)) {
      String[] words = line.split(" ", -1);
      if (words.length == 3 && (words[1].equals("Read") || words[1].equals("Write"))) {
        FlatKeyed.number(words[2])
            .ifPresent(number ->
                devices
                    .computeIfAbsent(words[0], device -> new LinkedHashMap<>())
                    .put((words[1].equals("Read") ? "r" : "w") + what, number));
      }
    }
  }

  private Map<String, Counters> hugetlb(File hugetlb) throws IOException {
    Map<String, Counters> sizes = new LinkedHashMap<>();
    for (HugePages.Size size : hugePages) {
      String prefix = "hugetlb." + size.name() + ".";
      Map<String, Long> values = new LinkedHashMap<>();
      hugetlb
          .number(prefix + "current", prefix + "usage_in_bytes")
          .ifPresent(bytes -> values.put("current", bytes));
      hugetlb
          .number(prefix + "rsvd.current", prefix + "rsvd.usage_in_bytes")
          .ifPresent(bytes -> values.put("rsvd.current", bytes));
      OptionalLong max =
          hugetlb.legacy
              ? hugetlb.number("", prefix + "failcnt")
              : FlatKeyed.value(hugetlb.text(prefix + "events"), "max");
      max.ifPresent(count -> values.put("max", count));
      if (!values.isEmpty()) {
        sizes.put(size.name(), Counters.of(values));
      }
    }
    return Collections.unmodifiableMap(sizes);
  }

  private Map<PressureKind, PressureStall> pressure() throws IOException {
    Map<PressureKind, PressureStall> all = new EnumMap<>(PressureKind.class);
    for (Branch branch : branches) {
      if (branch.unified()) {
        for (PressureKind kind : PressureKind.values()) {
          Optional<PressureStall> stall =
              PressureStall.parse(branch.directory().readKept(kind.file()));
          stall.ifPresent(found -> all.put(kind, found));
        }
      }
    }
    return Collections.unmodifiableMap(all);
  }

  /** Where {@code controller} is: v1's hierarchy if we are in it, else v2. */
  private File of(String controller) {
    Branch unified = null;
    for (Branch branch : branches) {
      if (branch.holds(controller)) {
        return new File(branch.directory(), true);
      }
      unified = branch.unified() ? branch : unified;
    }
    return new File(unified == null ? null : unified.directory(), false);
  }

  /** A controller's directory, if it has one. */
  private record File(@Nullable Directory group, boolean legacy) {
    @Nullable String text(String file) throws IOException {
      return group == null ? null : group.readKept(file);
    }

    Counters flat(String file) throws IOException {
      return Counters.flat(text(file));
    }

    OptionalLong number(String file, @Nullable String legacyFile) throws IOException {
      String name = legacy ? legacyFile : file;
      return name == null ? OptionalLong.empty() : FlatKeyed.number(text(name));
    }
  }
}
