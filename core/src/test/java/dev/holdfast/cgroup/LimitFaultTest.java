package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.linux.FaultMatrix;
import dev.holdfast.linux.Faults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every file of every limit, failing in every way, in folders that pose as groups: no kernel has
 * all of these files. What was set before it is taken back; with the best effort it is said of the
 * limit, and of none else, that it does not hold.
 */
class LimitFaultTest {
  /** A name, and what the file holds: nothing longer than what is asked for. */
  private static final String V2 =
      """
      cpu.idle 1
      cpu.max 150000 100000
      cpu.max.burst 30000
      cpu.uclamp.max 70.00
      cpu.uclamp.min 30.00
      cpu.weight 100
      cpuset.cpus 0-2
      cpuset.cpus.partition root
      cpuset.mems 0-2
      hugetlb.SIZE.max 33554432
      hugetlb.SIZE.rsvd.max 33554432
      io.latency 8:0 target=2000
      io.max 8:0 rbps=2097152 wbps=2097152 riops=200 wiops=200
      io.weight 8:0 300
      memory.high 33554432
      memory.low 33554432
      memory.max 33554432
      memory.min 33554432
      memory.oom.group 0
      memory.swap.high 33554432
      memory.swap.max 33554432
      memory.unknown 4
      memory.zswap.max 33554432
      misc.max sev 30
      pids.max 30
      rdma.max mlx5_0 hca_handle=3
      """;

  private static final String V1 =
      """
      blkio.bfq.weight_device 8:0 300
      blkio.throttle.read_bps_device 8:0 2097152
      blkio.throttle.read_iops_device 8:0 200
      blkio.throttle.write_bps_device 8:0 2097152
      blkio.throttle.write_iops_device 8:0 200
      cpu.cfs_burst_us 30000
      cpu.cfs_period_us 200000
      cpu.cfs_quota_us 150000
      cpu.idle 1
      cpu.rt_period_us 400000
      cpu.rt_runtime_us 40000
      cpu.shares 1024
      cpu.uclamp.max 70.00
      cpu.uclamp.min 30.00
      cpuset.cpus 0-2
      cpuset.mems 0-2
      hugetlb.SIZE.limit_in_bytes 33554432
      hugetlb.SIZE.rsvd.limit_in_bytes 33554432
      memory.kmem.limit_in_bytes 33554432
      memory.limit_in_bytes 33554432
      memory.memsw.limit_in_bytes 100663296
      memory.soft_limit_in_bytes 33554432
      memory.swappiness 30
      memory.unknown 4
      memory.use_hierarchy 0
      misc.max sev 30
      net_cls.classid 1048578
      net_prio.ifpriomap lo 2
      pids.max 30
      rdma.max mlx5_0 hca_handle=3
      """;

  /** Those that show something else than what was written to them, or nothing. */
  private static final Map<String, String> ACTING =
      Map.of(
          "devices.allow", "",
          "devices.deny", "",
          "memory.oom_control", "0\noom_kill_disable 0\nunder_oom 0\n");

  /** Those that are only read. */
  private static final Map<String, String> SHOWN =
      Map.of(
          "cgroup.controllers", "memory",
          "cpuset.cpus.effective", "0",
          "cpuset.effective_cpus", "0",
          "cpuset.effective_mems", "0",
          "cpuset.mems.effective", "0",
          "devices.list", "a *:* rwm\n",
          "io.stat", "");

  /** For what v2 has programs, and what it does not have. */
  private static final Set<LimitKind> NO_FILE_V2 =
      EnumSet.of(
          LimitKind.SWAPPINESS,
          LimitKind.OOM_KILL_DISABLE,
          LimitKind.MEMORY_KERNEL,
          LimitKind.CPU_TIME,
          LimitKind.CPU_REALTIME,
          LimitKind.DEVICE,
          LimitKind.NET_CLASS,
          LimitKind.NET_PRIORITY);

  private static final Set<LimitKind> NO_FILE_V1 =
      EnumSet.of(
          LimitKind.MEMORY_HIGH,
          LimitKind.MEMORY_MIN,
          LimitKind.SWAP_HIGH,
          LimitKind.ZSWAP,
          LimitKind.OOM_GROUP,
          LimitKind.CPU_TIME,
          LimitKind.CPUSET_PARTITION,
          LimitKind.IO_LATENCY);

  /** Where a failure shows in nothing but another way to the same end. */
  private static final List<String> FALL_BACKS =
      List.of(
          // Before Linux 4.19, or without the controller.
          "(openat|write) memory.oom.group ENOENT",
          // Before Linux 5.7.
          "(openat|write) hugetlb.\\S+.rsvd.\\S+ ENOENT");

  /** Of a group that exists: nothing is implied, and nothing known. */
  private static final Earlier EARLIER = new Earlier(false, true, Optional.empty());

  private static final String SIZE = HugePages.names().getFirst();

  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyFile(boolean unified) throws Exception {
    Set<LimitKind> without = unified ? NO_FILE_V2 : NO_FILE_V1;
    Map<String, String> files = files(unified ? V2 : V1);
    Limits limits = limits(EnumSet.complementOf(EnumSet.copyOf(without)));
    Set<String> all = new TreeSet<>(files.keySet());
    if (!unified) {
      all.addAll(ACTING.keySet());
    }
    // So much for the control: without a fault each is written, and then is not what it was.
    assertThat(written(unified, files, limits)).isEqualTo(all);
    for (Map.Entry<String, String> file : files.entrySet()) {
      assertThat(read(file.getKey())).doesNotStartWith(file.getValue());
    }
    for (LimitKind kind : without) {
      assertThat(written(unified, files, limits(EnumSet.of(kind)))).as(kind.name()).isEmpty();
    }
    check(unified, files, limits);
  }

  /** Each unit has its own files; those of devices are above. */
  @ParameterizedTest
  @CsvSource({
    "true, io.weight, 300, 200",
    "true, io.bfq.weight, 300, 200",
    "true, io.bfq.weight, 8:0 300, 8:0=200",
    "false, blkio.bfq.weight, 300, 200",
    "false, blkio.weight, 300, 200",
    "false, blkio.weight_device, 8:0 300, 8:0=200"
  })
  void everyUnitOfWeights(boolean unified, String file, String before, String weight)
      throws Exception {
    Limits limits = Limits.builder().set(LimitKind.IO_WEIGHT, weight).build();
    assertThat(written(unified, Map.of(file, before), limits)).containsExactly(file);
    check(unified, Map.of(file, before), limits);
  }

  private void check(boolean unified, Map<String, String> files, Limits limits) throws Exception {
    for (boolean bestEffort : new boolean[] {false, true}) {
      FaultMatrix matrix = new FaultMatrix();
      matrix.run(
          attempts ->
              attempts.attempt(() -> {
                try {
                  for (AppliedLimit row : apply(unified, files, limits, bestEffort)) {
                    if (!row.isEnforced()) {
                      attempts.attempt(() -> {
                        throw new HoldfastException(
                            row.kind().name(), row.reason().orElseThrow(), "as is said", null);
                      });
                    }
                  }
                } catch (HoldfastException refused) {
                  assertThat(bestEffort).isFalse();
                  assertThat(refused).hasMessageNotContaining("stays changed");
                  for (Map.Entry<String, String> file : files.entrySet()) {
                    assertThat(read(file.getKey())).as(file.getKey()).startsWith(file.getValue());
                  }
                  throw refused;
                }
              }),
          fault -> {});
      assertThat(matrix.silentBut(FALL_BACKS)).isEmpty();
    }
  }

  /** The files that are written. */
  private Set<String> written(boolean unified, Map<String, String> files, Limits limits)
      throws Exception {
    try (Faults faults = Faults.watch()) {
      apply(unified, files, limits, /* bestEffort= */ true);
      return new TreeSet<>(faults.writtenFiles());
    }
  }

  /** In a folder that is as it was. */
  private List<AppliedLimit> apply(
      boolean unified, Map<String, String> files, Limits limits, boolean bestEffort)
      throws IOException {
    try (FakeGroup group = unified ? FakeGroup.v2(temp) : v1()) {
      for (Map<String, String> some : List.of(files, ACTING, SHOWN)) {
        for (Map.Entry<String, String> file : some.entrySet()) {
          // A new one: ext4 makes who truncates and writes wait for the disk.
          Files.deleteIfExists(temp.resolve(file.getKey()));
          group.with(file.getKey(), file.getValue());
        }
      }
      Branches branches = new Branches(List.of(group.branch));
      Limiting limiting = new Limiting("job", branches, Map.of(), EARLIER);
      limiting.grown(branches, Set.of("hugetlb", "rdma", "misc"), Map.of(), Map.of());
      return limiting.apply(limits, bestEffort);
    }
  }

  private FakeGroup v1() throws IOException {
    return FakeGroup.v1(
        temp,
        "blkio",
        "cpu",
        "cpuset",
        "devices",
        "hugetlb",
        "memory",
        "misc",
        "net_cls",
        "net_prio",
        "pids",
        "rdma");
  }

  private String read(String file) throws IOException {
    return Files.readString(temp.resolve(file));
  }

  private static Map<String, String> files(String table) {
    Map<String, String> files = new TreeMap<>();
    for (String line : table.replace("SIZE", SIZE).lines().toList()) {
      String[] sides = line.split(" ", 2);
      files.put(sides[0], sides[1]);
    }
    return files;
  }

  private static Limits limits(Set<LimitKind> kinds) {
    Limits.Builder limits = Limits.builder();
    for (LimitKind kind : kinds) {
      String text = text(kind);
      if (!text.isEmpty()) {
        limits.set(kind, text);
      }
    }
    return limits.build();
  }

  /** A new kind is not forgotten: this would not compile. */
  private static String text(LimitKind kind) {
    return switch (kind) {
      case MEMORY, MEMORY_HIGH, MEMORY_LOW, MEMORY_MIN, SWAP, SWAP_HIGH, ZSWAP, MEMORY_KERNEL ->
          "64M";
      case SWAPPINESS, PIDS -> "20";
      case OOM_KILL_DISABLE, CPU_IDLE -> "no";
      case OOM_GROUP -> "yes";
      case CPUS -> "2.5";
      case CPU_TIME -> ""; // a budget of a run
      case CPU_WEIGHT -> "200";
      case CPU_BURST -> "20ms";
      case CPU_UCLAMP_MIN -> "12.5";
      case CPU_UCLAMP_MAX -> "80";
      case CPU_REALTIME -> "50000/500000";
      case CPUSET_CPUS, CPUSET_MEMS -> "0-1";
      case CPUSET_PARTITION -> "isolated";
      case IO_WEIGHT -> "8:0=200";
      case IO_MAX -> "8:0:rbps=1M,wbps=1M,riops=100,wiops=100";
      case IO_LATENCY -> "8:0=1ms";
      case HUGETLB -> SIZE + "=64M";
      case RDMA -> "mlx5_0:hca_handle=2";
      case MISC -> "sev=20";
      case DEVICE -> "!c 10:200 rwm";
      case NET_CLASS -> "1048577";
      case NET_PRIORITY -> "lo=1";
      case SET -> "memory.unknown=5";
    };
  }
}
