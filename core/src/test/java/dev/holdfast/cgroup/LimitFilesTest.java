package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What each limit becomes, on v2 and on v1: what is in which file afterwards, or after an
 * exclamation mark why nothing can hold it there.
 */
class LimitFilesTest {
  private static final List<String> V2 =
      List.of(
          "memory.max",
          "memory.high",
          "memory.low",
          "memory.min",
          "memory.swap.max",
          "memory.swap.high",
          "memory.zswap.max",
          "memory.oom.group",
          "cpu.max",
          "cpu.max.burst",
          "cpu.weight",
          "cpu.idle",
          "cpu.uclamp.min",
          "cpu.uclamp.max",
          "pids.max");

  private static final List<String> V1 =
      List.of(
          "memory.limit_in_bytes",
          "memory.memsw.limit_in_bytes",
          "memory.soft_limit_in_bytes",
          "memory.swappiness",
          "cpu.cfs_quota_us",
          "cpu.cfs_period_us",
          "cpu.cfs_burst_us",
          "cpu.shares",
          "cpu.idle",
          "cpu.uclamp.min",
          "cpu.uclamp.max",
          "cpu.rt_runtime_us",
          "cpu.rt_period_us",
          "net_cls.classid",
          "pids.max");

  @TempDir Path temp;

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          MEMORY       | 64M   | memory.max=67108864 memory.oom.group=1 memory.swap.max=0 \
                       | memory.limit_in_bytes=67108864 memory.memsw.limit_in_bytes=67108864
          MEMORY       | max   | memory.max=max memory.oom.group=1 \
                       | memory.limit_in_bytes=-1 memory.memsw.limit_in_bytes=-1
          MEMORY_HIGH  | 4K    | memory.high=4096 memory.oom.group=1 | !v1 has no memory.high
          MEMORY_MIN   | 4K    | memory.min=4096 memory.oom.group=1  | !v1 has no memory.min
          MEMORY_LOW   | 4K    | memory.low=4096 memory.oom.group=1  | memory.soft_limit_in_bytes=4096
          SWAP         | 4K    | memory.oom.group=1 memory.swap.max=4096 \
                       | !v1 counts memory and swap together
          SWAP_HIGH    | 8K    | memory.oom.group=1 memory.swap.high=8192 | !v1 has no memory.swap.high
          ZSWAP        | 8K    | memory.oom.group=1 memory.zswap.max=8192 | !v1 has no memory.zswap.max
          SWAPPINESS   | 0     | !v2 has nothing like swappiness   | memory.swappiness=0
          SWAPPINESS   | 200   | !v2 has nothing like swappiness   | memory.swappiness=200
          CPUS         | 1.5   | cpu.max=150000 100000 memory.oom.group=1 | cpu.cfs_period_us=100000 cpu.cfs_quota_us=150000
          CPUS         | 0.005 | cpu.max=1000 200000 memory.oom.group=1 \
                       | cpu.cfs_period_us=200000 cpu.cfs_quota_us=1000
          CPUS         | 0.001 | cpu.max=1000 1000000 memory.oom.group=1 \
                       | cpu.cfs_period_us=1000000 cpu.cfs_quota_us=1000
          CPUS         | max   | cpu.max=max memory.oom.group=1 | cpu.cfs_quota_us=-1
          CPU_WEIGHT   | 1     | cpu.weight=1 memory.oom.group=1 | cpu.shares=10
          CPU_WEIGHT   | 50    | cpu.weight=50 memory.oom.group=1 | cpu.shares=512
          CPU_WEIGHT   | 10000 | cpu.weight=10000 memory.oom.group=1 | cpu.shares=102400
          CPU_IDLE     | yes   | cpu.idle=1 memory.oom.group=1 | cpu.idle=1
          CPU_BURST    | 20ms  | cpu.max.burst=20000 memory.oom.group=1 | cpu.cfs_burst_us=20000
          CPU_UCLAMP_MIN | 12.5 | cpu.uclamp.min=12.50 memory.oom.group=1 | cpu.uclamp.min=12.50
          CPU_UCLAMP_MIN | 100 | cpu.uclamp.min=max memory.oom.group=1 | cpu.uclamp.min=max
          CPU_UCLAMP_MAX | 80  | cpu.uclamp.max=80.00 memory.oom.group=1 | cpu.uclamp.max=80.00
          CPU_UCLAMP_MAX | 0   | cpu.uclamp.max=0.00 memory.oom.group=1 | cpu.uclamp.max=0.00
          CPU_REALTIME | 50000/500000 | !v2 has nothing like cpu.rt_runtime_us \
                       | cpu.rt_period_us=500000 cpu.rt_runtime_us=50000
          NET_CLASS    | 1048577 |                                 | net_cls.classid=1048577
          PIDS         | 7     | memory.oom.group=1 pids.max=7 | pids.max=7
          """)
  void becomes(LimitKind kind, String text, String unified, String legacy) throws Exception {
    Limits limits = Limits.builder().set(kind, text).build();
    if (unified != null) { // what programs do on v2 is no file
      check(true, limits, unified);
    }
    check(false, limits, legacy);
  }

  private void check(boolean unified, Limits limits, String expected) throws Exception {
    String mechanism = unified ? "cgroup-v2" : "cgroup-v1";
    Path folder = Files.createDirectory(temp.resolve(mechanism));
    List<String> files = unified ? V2 : V1;
    try (FakeGroup group =
        unified ? FakeGroup.v2(folder) : FakeGroup.v1(folder, "memory", "cpu", "pids", "net_cls")) {
      group.files(files.toArray(String[]::new));
      Controllers controllers = new Controllers(List.of(group.branch));
      LimitRows strict = new LimitRows(false, mechanism);
      if (!expected.startsWith("!")) {
        controllers.apply(limits, strict, Map.of());
        assertThat(strict.rows()).isNotEmpty().allMatch(AppliedLimit::isEnforced);
        assertThat(written(group, files)).isEqualTo(expected);
        return;
      }
      String why = expected.substring(1);
      assertThatThrownBy(() -> controllers.apply(limits, strict, Map.of()))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining(" with " + mechanism + ": " + why);
      LimitRows best = new LimitRows(true, mechanism);
      controllers.apply(limits, best, Map.of());
      assertThat(best.rows())
          .singleElement()
          .matches(row -> !row.isEnforced() && row.reason().get().contains(why));
    }
  }

  private static String written(FakeGroup group, List<String> files) throws IOException {
    List<String> written = new ArrayList<>();
    for (String file : files) {
      String text = group.read(file);
      if (!text.isEmpty()) {
        written.add(file + "=" + text.strip());
      }
    }
    return String.join(" ", new TreeSet<>(written));
  }
}
