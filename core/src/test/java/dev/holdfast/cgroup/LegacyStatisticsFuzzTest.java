package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.linux.PageSize;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As {@link StatisticsFuzzTest}, of a group of v1. */
class LegacyStatisticsFuzzTest {
  private static final int ROUNDS = 1_000;
  private static final long TICK = 10_000_000;
  private static final String READ_BYTES = "blkio.throttle.io_service_bytes_recursive";
  private static final String OPERATIONS = "blkio.throttle.io_serviced_recursive";
  private static final String[] CONTROLLERS = {
    "memory", "cpu", "cpuacct", "pids", "blkio", "hugetlb", "freezer"
  };

  private static final List<String> NUMBER = List.of("4096\n", "9223372036854771712\n", "-1\n");
  private static final List<String> BLOCKS =
      List.of(
          "8:0 Read 4096\n8:0 Write 0\n8:0 Sync 1\n8:0 Discard 7\nTotal 4103\n259:1 Write 7\n",
          "8:0 Read 9223372036854775807\n8:16 Read 1\n8:16 Write 2\nTotal 3\n");

  private static final Map<String, List<String>> FILES = new TreeMap<>();

  static {
    FILES.put(
        "cpu.stat",
        List.of("nr_periods 10\nnr_throttled 3\nthrottled_time 99\nnr_bursts 1\nburst_time 8\n"));
    FILES.put("cpu.stat.local", List.of("throttled_time 7\n"));
    FILES.put("cpuacct.stat", List.of("user 12\nsystem 3\n", "user 922337203685\nsystem 1\n"));
    FILES.put("memory.oom_control", List.of("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"));
    FILES.put(
        "memory.stat",
        List.of(
            "cache 0\nrss 4096\ntotal_cache 18446744073709551615\ntotal_rss 4096\n",
            "inactive_file 1\ntotal_inactive_file 5000\ntotal_cache 5\n"));
    FILES.put(
        "memory.numa_stat",
        List.of(
            "total=2 N0=2 N1=0\nhierarchical_total=4 N0=3 N1=1\n",
            "hierarchical_file=1 N0=9223372036854775807 N32767=3\nanon=1 N0=1\n"));
    FILES.put(
        "hugetlb.2MB.numa_stat",
        List.of("total=0 N0=0 N1=0\nhierarchical_total=4096 N0=4096 N1=0\n"));
    FILES.put("pids.events", List.of("max 5\n"));
    FILES.put(READ_BYTES, BLOCKS);
    FILES.put("blkio.throttle.io_service_bytes", BLOCKS);
    FILES.put(OPERATIONS, BLOCKS);
    for (String file :
        List.of(
            "cpuacct.usage",
            "cpuacct.usage_user",
            "cpuacct.usage_sys",
            "memory.usage_in_bytes",
            "memory.max_usage_in_bytes",
            "memory.failcnt",
            "memory.limit_in_bytes",
            "memory.memsw.usage_in_bytes",
            "memory.memsw.max_usage_in_bytes",
            "memory.memsw.failcnt",
            "memory.memsw.limit_in_bytes",
            "pids.current",
            "pids.peak",
            "hugetlb.2MB.usage_in_bytes",
            "hugetlb.2MB.max_usage_in_bytes",
            "hugetlb.2MB.rsvd.usage_in_bytes",
            "hugetlb.2MB.rsvd.max_usage_in_bytes",
            "hugetlb.2MB.failcnt",
            "hugetlb.2MB.rsvd.failcnt")) {
      FILES.put(file, NUMBER);
    }
  }

  @TempDir Path temp;
  private final Damage damage = new Damage(getClass());
  private StrictFiles files;

  @Test
  void everyFileOfAGroup() throws Exception {
    files = new StrictFiles(temp);
    try (FakeGroup group = FakeGroup.v1(temp, CONTROLLERS)) {
      List<Branch> branches = List.of(group.branch);
      damage.rounds(
          ROUNDS,
          FILES,
          files,
          () -> {
            check(new Controllers(branches).usage());
            trips(
                FakeGroup.usage(
                    new Hugetlb(
                        group.directory, false, List.of(new HugePages.Size("2MB", 2 << 20)))));
            Statistics all = new StatisticsFiles(branches, List.of("2MB")).read();
            check(all.cpu());
            check(all.memory());
            others(all);
            io(all.io());
          });
    }
  }

  private void check(Usage usage) {
    files.check(usage.cpu().total(), files.alone("cpuacct.usage"), 1);
    files.check(usage.cpu().user(), time("user"), timeUnit());
    files.check(usage.cpu().system(), time("system"), timeUnit());
    files.check(usage.cpu().throttled(), files.flat("cpu.stat", "throttled_time"), 1);
    files.check(usage.cpu().throttledPeriods(), files.flat("cpu.stat", "nr_throttled"));
    files.check(usage.memory().current(), files.alone("memory.usage_in_bytes"));
    files.check(usage.memory().peak(), files.alone("memory.max_usage_in_bytes"));
    files.check(usage.memory().oomKills(), files.flat("memory.oom_control", "oom_kill"));
    files.check(usage.pids().current(), files.alone("pids.current"));
    files.check(usage.pids().peak(), files.alone("pids.peak"));
    files.check(usage.pids().rejected(), files.flat("pids.events", "max"));
    moved(usage.io().readBytes(), "Read");
    moved(usage.io().writeBytes(), "Write");
    assertThat(usage.trips().memoryHigh()).isEmpty();
    assertThat(usage.trips().memoryLow()).isEmpty();
    OptionalLong failures = files.alone("memory.failcnt").number(1);
    OptionalLong together = files.alone("memory.memsw.failcnt").number(1);
    usage.trips().swapMax().ifPresent(count -> assertThat(together).hasValue(count));
    usage
        .trips()
        .memoryMax()
        .ifPresent(count ->
            assertThat(count)
                .isNotNegative()
                .isIn(
                    failures.orElse(-1),
                    failures.orElse(-1) + together.orElse(0),
                    files.flat("memory.oom_control", "oom_kill").number(1).orElse(-1)));
  }

  /** By the kernel's nanoseconds where it has both, else by its ticks. */
  private StrictFiles.Said time(String mode) {
    return timeUnit() == 1
        ? files.alone("cpuacct.usage_" + (mode.equals("user") ? mode : "sys")).as(mode)
        : files.flat("cpuacct.stat", mode).as(mode);
  }

  private long timeUnit() {
    return files.alone("cpuacct.usage_user").number(1).isPresent()
            && files.alone("cpuacct.usage_sys").number(1).isPresent()
        ? 1
        : TICK;
  }

  /** Of all devices; nothing is known without a line for any. */
  private void moved(OptionalLong read, String kind) {
    String file = files.has(READ_BYTES) ? READ_BYTES : "blkio.throttle.io_service_bytes";
    List<String> counts = files.found(file, "[^ ]* " + kind + " ([^ ]*)");
    if (counts.isEmpty()) {
      assertThat(read).isEmpty();
    } else {
      files.checkSum(
          read,
          kind,
          counts.stream().map(count -> new StrictFiles.Said(kind, List.of(count), 1)).toList());
    }
  }

  private void trips(Usage usage) {
    StrictFiles.Said used = files.alone("hugetlb.2MB.failcnt");
    OptionalLong reserved = files.alone("hugetlb.2MB.rsvd.failcnt").number(1);
    Long count = usage.trips().hugetlb().get("2MB");
    files.checkSum(
        count == null ? OptionalLong.empty() : OptionalLong.of(count),
        "failures",
        reserved.isEmpty()
            ? List.of(used)
            : List.of(used, files.alone("hugetlb.2MB.rsvd.failcnt")));
  }

  private void check(Statistics.Cpu cpu) {
    files.check(cpu.total(), files.alone("cpuacct.usage"), 1);
    files.check(cpu.user(), time("user"), timeUnit());
    files.check(cpu.system(), time("system"), timeUnit());
    files.check(cpu.periods(), files.flat("cpu.stat", "nr_periods"));
    files.check(cpu.throttledPeriods(), files.flat("cpu.stat", "nr_throttled"));
    files.check(cpu.throttled(), files.flat("cpu.stat", "throttled_time"), 1);
    files.check(cpu.throttledLocal(), files.flat("cpu.stat.local", "throttled_time"), 1);
    files.check(cpu.bursts(), files.flat("cpu.stat", "nr_bursts"));
    files.check(cpu.burst(), files.flat("cpu.stat", "burst_time"), 1);
    assertThat(cpu.nice()).isEmpty();
    assertThat(cpu.forcedIdle()).isEmpty();
  }

  private void check(Statistics.Memory memory) {
    files.check(memory.current(), files.alone("memory.usage_in_bytes"));
    files.check(memory.peak(), files.alone("memory.max_usage_in_bytes"));
    assertThat(memory.zswap()).isEmpty();
    Set<String> names = new TreeSet<>(files.found("memory.stat", "total_([^ ]+) .*"));
    names.addAll(memory.stat().names());
    for (String name : names) {
      files.check(
          memory.stat().get(name), files.flat("memory.stat", "total_" + name).as("memory.stat"));
    }
    StatisticsFuzzTest.nodes(
        files,
        "memory.numa_stat",
        memory.nodes(),
        "hierarchical_([^ =]+)=[^ ]*",
        name -> "hierarchical_" + Pattern.quote(name) + "=[^ ]*",
        PageSize.bytes().orElseThrow());
    files.check(memory.localEvents().max(), files.alone("memory.failcnt"));
    files.check(memory.localEvents().oomKill(), files.flat("memory.oom_control", "oom_kill"));
    assertThat(memory.events().max()).isEmpty();
    assertThat(memory.events().oomKill()).isEmpty();
  }

  private void others(Statistics all) {
    files.check(all.swap().withMemory(), files.alone("memory.memsw.usage_in_bytes"));
    files.check(all.swap().withMemoryPeak(), files.alone("memory.memsw.max_usage_in_bytes"));
    files.check(all.swap().withMemoryMax(), files.alone("memory.memsw.failcnt"));
    assertThat(all.swap().current()).isEmpty();
    files.check(all.pids().current(), files.alone("pids.current"));
    files.check(all.pids().peak(), files.alone("pids.peak"));
    assertThat(all.pids().rejected()).isEmpty();
    files.check(all.pids().rejectedLocal(), files.flat("pids.events", "max"));
    Statistics.HugeTlb pages = all.hugeTlb().get("2MB");
    files.check(
        pages == null ? OptionalLong.empty() : pages.current(),
        files.alone("hugetlb.2MB.usage_in_bytes"));
    if (pages != null) {
      files.check(pages.peak(), files.alone("hugetlb.2MB.max_usage_in_bytes"));
      files.check(pages.reserved(), files.alone("hugetlb.2MB.rsvd.usage_in_bytes"));
      files.check(pages.reservedPeak(), files.alone("hugetlb.2MB.rsvd.max_usage_in_bytes"));
      files.check(pages.localMax(), files.alone("hugetlb.2MB.failcnt"));
      files.check(pages.reservedLocalMax(), files.alone("hugetlb.2MB.rsvd.failcnt"));
      StatisticsFuzzTest.nodes(files, pages.nodes(), "hierarchical_total=[^ ]*");
      assertThat(pages.max()).isEmpty();
    }
  }

  private void io(Map<String, Statistics.Io> read) {
    Set<String> devices = new TreeSet<>(read.keySet());
    for (String file : List.of(READ_BYTES, OPERATIONS)) {
      devices.addAll(files.found(file, "([^ ]+) (?:Read|Write|Discard) [^ ]*"));
    }
    for (String device : devices) {
      Map<String, OptionalLong> numbers = new HashMap<>();
      Statistics.Io io = read.get(device);
      if (io != null) {
        numbers.put(READ_BYTES + "Read", io.readBytes());
        numbers.put(READ_BYTES + "Write", io.writeBytes());
        numbers.put(READ_BYTES + "Discard", io.discardBytes());
        numbers.put(OPERATIONS + "Read", io.reads());
        numbers.put(OPERATIONS + "Write", io.writes());
        numbers.put(OPERATIONS + "Discard", io.discards());
        assertThat(io.more().isEmpty()).isTrue();
      }
      for (String file : List.of(READ_BYTES, OPERATIONS)) {
        for (String kind : List.of("Read", "Write", "Discard")) {
          List<String> counts = files.found(file, Pattern.quote(device) + " " + kind + " ([^ ]*)");
          files.check(
              numbers.getOrDefault(file + kind, OptionalLong.empty()),
              new StrictFiles.Said(file + " " + kind, counts, counts.size()));
        }
      }
    }
  }
}
