package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged files of a whole group of v2, all that are read for figures: what is told stands in them,
 * and what stands in them is told.
 */
class StatisticsFuzzTest {
  private static final int ROUNDS = 1_000;
  private static final long MICRO = 1000;

  private static final List<String> NUMBER = List.of("4096\n", "9223372036854771712\n", "max\n");
  private static final List<String> EVENTS =
      List.of(
          "low 0\nhigh 12\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n",
          "low 0\nhigh 9223372036854775808\nmax 9223372036854775807\noom 0\noom_kill 5\n");
  private static final List<String> MAX = List.of("max 5\n", "max 9223372036854775807\n");
  private static final List<String> MISC_EVENTS = List.of("res_a.max 2\nres_b.max 0\n");
  private static final List<String> MISC = List.of("res_a 3\nres_b 0\n", "res_b max\nres_a 1\n");

  private static final Map<String, List<String>> FILES = new TreeMap<>();

  static {
    FILES.put(
        "cgroup.stat", List.of("nr_descendants 2\nnr_subsys_cpu 3\nnr_dying_descendants 1\n"));
    FILES.put("cgroup.stat.local", List.of("frozen_usec 7\n"));
    FILES.put("hugetlb.2MB.numa_stat", List.of("total=4096 N0=4096 N1=0\n"));
    FILES.put(
        "cpu.stat",
        List.of(
            "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\nnice_usec 5\n"
                + "core_sched.force_idle_usec 7\nnr_periods 10\nnr_throttled 3\n"
                + "throttled_usec 99\nnr_bursts 1\nburst_usec 8\n",
            "usage_usec 9223372036854775\nuser_usec 9223372036854776\nsystem_usec 0\n"));
    FILES.put("cpu.stat.local", List.of("throttled_usec 11\n"));
    FILES.put("memory.stat", List.of("anon 4096\nfile 8192\ninactive_file 6000\n"));
    FILES.put(
        "memory.numa_stat",
        List.of(
            "anon N0=4096 N1=0\nfile N0=8192 N1=18446744073709551615\n",
            "anon N0=1 N31=2 N32767=3 N32768=4\nworkingset_refault_anon N0=7\n"));
    FILES.put("memory.events", EVENTS);
    FILES.put("memory.events.local", EVENTS);
    FILES.put("memory.swap.events", List.of("high 1\nmax 2\nfail 3\n"));
    FILES.put("pids.events", MAX);
    FILES.put("pids.events.local", MAX);
    FILES.put("hugetlb.2MB.events", MAX);
    FILES.put("hugetlb.2MB.events.local", MAX);
    FILES.put("misc.current", MISC);
    FILES.put("misc.peak", MISC);
    FILES.put("misc.events", MISC_EVENTS);
    FILES.put("misc.events.local", MISC_EVENTS);
    FILES.put(
        "rdma.current",
        List.of(
            "mlx4_0 hca_handle=2 hca_object=2000\nocrdmal hca_handle=3 hca_object=max\n",
            "mlx5_1 hca_handle=0 hca_object=9223372036854775808\n"));
    FILES.put(
        "io.stat",
        List.of(
            "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=5 dios=6\n259:1 rbytes=1 wbytes=2\n7:0 \n",
            "8:16 rbytes=9223372036854775807 wbytes=1 cost.usage=7\n253:0 rbytes=1 rios=4\n"));
    for (String file :
        List.of(
            "memory.current",
            "memory.peak",
            "memory.zswap.current",
            "memory.swap.current",
            "memory.swap.peak",
            "pids.current",
            "pids.peak",
            "hugetlb.2MB.current",
            "hugetlb.2MB.rsvd.current")) {
      FILES.put(file, NUMBER);
    }
    for (PressureKind kind : PressureKind.values()) {
      FILES.put(kind.file(), ParserFuzzTest.STALLS);
    }
  }

  @TempDir Path temp;
  private final Damage damage = new Damage(getClass());
  private StrictFiles files;

  @Test
  void everyFileOfAGroup() throws Exception {
    files = new StrictFiles(temp);
    try (FakeGroup group = FakeGroup.v2(temp)) {
      List<Branch> branches = List.of(group.branch);
      damage.rounds(
          ROUNDS,
          FILES,
          files,
          () -> {
            check(new Controllers(branches).usage());
            rare(
                FakeGroup.usage(
                        new Hugetlb(
                            group.directory, true, List.of(new HugePages.Size("2MB", 2 << 20))))
                    .trips()
                    .hugetlb(),
                FakeGroup.usage(new Misc(group.directory)).trips().misc());
            Statistics all = new StatisticsFiles(branches, List.of("2MB")).read();
            check(all.cpu());
            check(all.memory());
            check(all.swap());
            others(all);
            io(all.io());
            rdma(all.rdma());
            misc(all.misc());
            for (PressureKind kind : PressureKind.values()) {
              check(all.pressure(kind), kind.file());
            }
          });
    }
  }

  private void check(Usage usage) {
    files.check(usage.cpu().total(), files.flat("cpu.stat", "usage_usec"), MICRO);
    files.check(usage.cpu().user(), files.flat("cpu.stat", "user_usec"), MICRO);
    files.check(usage.cpu().system(), files.flat("cpu.stat", "system_usec"), MICRO);
    files.check(usage.cpu().throttled(), files.flat("cpu.stat", "throttled_usec"), MICRO);
    files.check(usage.cpu().throttledPeriods(), files.flat("cpu.stat", "nr_throttled"));
    files.check(usage.memory().current(), files.alone("memory.current"));
    files.check(usage.memory().peak(), files.alone("memory.peak"));
    files.check(usage.memory().oomKills(), files.flat("memory.events", "oom_kill"));
    files.check(usage.trips().memoryMax(), files.flat("memory.events", "max"));
    files.check(usage.trips().memoryHigh(), files.flat("memory.events", "high"));
    files.check(usage.trips().memoryLow(), files.flat("memory.events", "low"));
    files.check(usage.trips().swapMax(), files.flat("memory.swap.events", "max"));
    files.check(usage.pids().current(), files.alone("pids.current"));
    files.check(usage.pids().peak(), files.alone("pids.peak"));
    files.check(usage.pids().rejected(), files.flat("pids.events", "max"));
    check(usage.pressure().cpuSome(), PressureKind.CPU);
    check(usage.pressure().memorySome(), PressureKind.MEMORY);
    check(usage.pressure().ioSome(), PressureKind.IO);
    sum(usage.io().readBytes(), "rbytes");
    sum(usage.io().writeBytes(), "wbytes");
  }

  private void check(Optional<java.time.Duration> some, PressureKind kind) {
    files.check(some, files.word(kind.file(), "some", "total").as("some total"), MICRO);
  }

  /** Of all devices; a word that is no number leaves the sum unknown. */
  private void sum(OptionalLong read, String key) {
    if (!files.has("io.stat")) {
      assertThat(read).isEmpty();
      return;
    }
    Pattern word = Pattern.compile("(?<![^ \t\r\f\u000b\n])" + key + "=([^ \t\r\f\u000b\n]*)");
    files.checkSum(
        read,
        "sum of " + key,
        word.matcher(String.join("\n", files.lines("io.stat")))
            .results()
            .map(match -> new StrictFiles.Said(key, List.of(match.group(1)), 1))
            .toList());
  }

  private void rare(Map<String, Long> hugetlb, Map<String, Long> misc) {
    assertThat(hugetlb.keySet()).isSubsetOf("2MB");
    files.check(number(hugetlb, "2MB"), files.flat("hugetlb.2MB.events", "max"));
    Set<String> names = new TreeSet<>(files.found("misc.events", "([^ ]+)\\.max .*"));
    names.addAll(misc.keySet());
    for (String name : names) {
      files.check(number(misc, name), files.flat("misc.events", name + ".max").as("misc trips"));
    }
  }

  private static OptionalLong number(Map<String, Long> numbers, String key) {
    Long number = numbers.get(key);
    return number == null ? OptionalLong.empty() : OptionalLong.of(number);
  }

  private void check(Statistics.Cpu cpu) {
    files.check(cpu.total(), files.flat("cpu.stat", "usage_usec"), MICRO);
    files.check(cpu.user(), files.flat("cpu.stat", "user_usec"), MICRO);
    files.check(cpu.system(), files.flat("cpu.stat", "system_usec"), MICRO);
    files.check(cpu.nice(), files.flat("cpu.stat", "nice_usec"), MICRO);
    files.check(cpu.forcedIdle(), files.flat("cpu.stat", "core_sched.force_idle_usec"), MICRO);
    files.check(cpu.periods(), files.flat("cpu.stat", "nr_periods"));
    files.check(cpu.throttledPeriods(), files.flat("cpu.stat", "nr_throttled"));
    files.check(cpu.throttled(), files.flat("cpu.stat", "throttled_usec"), MICRO);
    files.check(cpu.throttledLocal(), files.flat("cpu.stat.local", "throttled_usec"), MICRO);
    files.check(cpu.bursts(), files.flat("cpu.stat", "nr_bursts"));
    files.check(cpu.burst(), files.flat("cpu.stat", "burst_usec"), MICRO);
  }

  private void check(Statistics.Memory memory) {
    files.check(memory.current(), files.alone("memory.current"));
    files.check(memory.peak(), files.alone("memory.peak"));
    files.check(memory.zswap(), files.alone("memory.zswap.current"));
    check(memory.events(), "memory.events");
    check(memory.localEvents(), "memory.events.local");
    Set<String> names = new TreeSet<>(files.keys("memory.stat"));
    names.addAll(memory.stat().names());
    for (String name : names) {
      files.check(memory.stat().get(name), files.flat("memory.stat", name).as("memory.stat"));
    }
    OptionalLong inactive = memory.stat().get("inactive_file");
    assertThat(memory.workingSet())
        .isEqualTo(
            memory.current().isEmpty() || inactive.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(
                    Math.max(0, memory.current().getAsLong() - inactive.getAsLong())));
    nodes(files, "memory.numa_stat", memory.nodes(), "([^ =]+)", name -> Pattern.quote(name), 1);
  }

  interface First {
    String of(String name);
  }

  /**
   * Checks those of each node.
   *
   * @param form of the first word of a line, with the name as its group
   */
  static void nodes(
      StrictFiles files,
      String file,
      Map<Integer, Counters> read,
      String form,
      First first,
      long unit) {
    Map<String, Set<String>> all = files.words(file, form);
    read.forEach((node, counters) -> {
      for (String name : counters.names()) {
        all.computeIfAbsent(name, added -> new TreeSet<>()).add("N" + node);
      }
    });
    all.forEach((name, keys) -> {
      for (String key : keys) {
        if (key.matches("N(0|[1-9][0-9]{0,4})")
            && Integer.parseInt(key, 1, key.length(), 10) <= Short.MAX_VALUE) {
          Counters counters = read.get(Integer.parseInt(key, 1, key.length(), 10));
          files.check(
              counters == null ? OptionalLong.empty() : counters.get(name),
              files.word(file, first.of(name), key).as(file),
              unit);
        }
      }
    });
    assertThat(read.keySet()).allMatch(node -> node >= 0 && node <= Short.MAX_VALUE);
  }

  /**
   * Checks the bytes of huge pages of each node.
   *
   * @param first the form of the first word of the line that counts
   */
  static void nodes(StrictFiles files, Map<Integer, Long> read, String first) {
    Map<Integer, Counters> counters = new HashMap<>();
    read.forEach((node, bytes) -> counters.put(node, Counters.of(Map.of("total", bytes))));
    nodes(
        files,
        "hugetlb.2MB.numa_stat",
        counters,
        first.replace("total", "(total)"),
        name -> first,
        1);
  }

  private void check(Statistics.MemoryEvents events, String file) {
    files.check(events.low(), files.flat(file, "low"));
    files.check(events.high(), files.flat(file, "high"));
    files.check(events.max(), files.flat(file, "max"));
    files.check(events.oom(), files.flat(file, "oom"));
    files.check(events.oomKill(), files.flat(file, "oom_kill"));
    files.check(events.oomGroupKill(), files.flat(file, "oom_group_kill"));
  }

  private void check(Statistics.Swap swap) {
    files.check(swap.current(), files.alone("memory.swap.current"));
    files.check(swap.peak(), files.alone("memory.swap.peak"));
    files.check(swap.high(), files.flat("memory.swap.events", "high"));
    files.check(swap.max(), files.flat("memory.swap.events", "max"));
    files.check(swap.fail(), files.flat("memory.swap.events", "fail"));
    assertThat(swap.withMemory()).isEmpty();
    assertThat(swap.withMemoryPeak()).isEmpty();
    assertThat(swap.withMemoryMax()).isEmpty();
  }

  private void others(Statistics all) {
    files.check(all.groups().living(), files.flat("cgroup.stat", "nr_descendants"));
    files.check(all.groups().dying(), files.flat("cgroup.stat", "nr_dying_descendants"));
    files.check(all.groups().frozen(), files.flat("cgroup.stat.local", "frozen_usec"), 1000);
    files.check(all.pids().current(), files.alone("pids.current"));
    files.check(all.pids().peak(), files.alone("pids.peak"));
    StrictFiles.Said events = files.flat("pids.events", "max");
    if (files.has("pids.events.local")) {
      files.check(all.pids().rejected(), events.as("rejected"));
      files.check(
          all.pids().rejectedLocal(), files.flat("pids.events.local", "max").as("rejected here"));
    } else {
      assertThat(all.pids().rejected()).isEmpty();
      files.check(all.pids().rejectedLocal(), events.as("rejected here"));
    }
    Statistics.HugeTlb pages = all.hugeTlb().get("2MB");
    files.check(
        pages == null ? OptionalLong.empty() : pages.current(), files.alone("hugetlb.2MB.current"));
    if (pages != null) {
      files.check(pages.reserved(), files.alone("hugetlb.2MB.rsvd.current"));
      files.check(pages.max(), files.flat("hugetlb.2MB.events", "max"));
      files.check(pages.localMax(), files.flat("hugetlb.2MB.events.local", "max"));
      assertThat(List.of(pages.peak(), pages.reservedPeak(), pages.reservedLocalMax()))
          .containsOnly(OptionalLong.empty());
      nodes(files, pages.nodes(), "total=[^ ]*");
    }
  }

  private void io(Map<String, Statistics.Io> read) {
    Map<String, Map<String, OptionalLong>> numbers = new HashMap<>();
    read.forEach((device, io) -> {
      Map<String, OptionalLong> of = new HashMap<>();
      of.put("rbytes", io.readBytes());
      of.put("wbytes", io.writeBytes());
      of.put("dbytes", io.discardBytes());
      of.put("rios", io.reads());
      of.put("wios", io.writes());
      of.put("dios", io.discards());
      io.more().names().forEach(name -> of.put(name, io.more().get(name)));
      numbers.put(device, of);
    });
    devices("io.stat", numbers);
  }

  private void rdma(Map<String, Statistics.Rdma> read) {
    Map<String, Map<String, OptionalLong>> numbers = new HashMap<>();
    read.forEach((device, rdma) ->
        numbers.put(device, Map.of("hca_handle", rdma.handles(), "hca_object", rdma.objects())));
    devices("rdma.current", numbers);
  }

  private void devices(String file, Map<String, Map<String, OptionalLong>> read) {
    Map<String, Set<String>> all = files.words(file, "([^ =]+)");
    read.forEach((device, numbers) ->
        all.computeIfAbsent(device, added -> new TreeSet<>()).addAll(numbers.keySet()));
    all.forEach((device, keys) -> {
      for (String key : keys) {
        if (!file.equals("rdma.current") || key.matches("hca_(handle|object)")) {
          files.check(
              read.getOrDefault(device, Map.of()).getOrDefault(key, OptionalLong.empty()),
              files.word(file, Pattern.quote(device), key).as(file));
        }
      }
    });
  }

  private void misc(Map<String, Statistics.Misc> read) {
    Set<String> names = new TreeSet<>(files.keys("misc.current"));
    names.addAll(read.keySet());
    for (String name : names) {
      Statistics.Misc misc = read.get(name);
      files.check(
          misc == null ? OptionalLong.empty() : misc.current(),
          files.flat("misc.current", name).as("misc.current"));
      if (misc != null) {
        files.check(misc.peak(), files.flat("misc.peak", name).as("misc.peak"));
        files.check(misc.max(), files.flat("misc.events", name + ".max").as("misc.events"));
        files.check(
            misc.localMax(), files.flat("misc.events.local", name + ".max").as("misc local"));
      }
    }
  }

  private void check(Optional<PressureStall> stall, String file) {
    String text = String.join("\n", files.lines(file));
    ParserFuzzTest.isSound(stall.flatMap(PressureStall::some), "some", text);
    ParserFuzzTest.isSound(stall.flatMap(PressureStall::full), "full", text);
  }
}
