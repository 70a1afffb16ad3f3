package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.linux.PageSize;
import dev.holdfast.testing.OpenFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatisticsTest {
  @TempDir Path temp;

  private static StatisticsFiles files(FakeGroup... groups) {
    return new StatisticsFiles(
        Stream.of(groups).map(group -> group.branch).toList(), List.of("2MB"));
  }

  @Test
  void everythingOnV2() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .with("cgroup.stat", "nr_descendants 2\nnr_subsys_cpu 3\nnr_dying_descendants 1\n")
            .with("cgroup.stat.local", "frozen_usec 21\n")
            .with(
                "cpu.stat",
                "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnice_usec 5\nnr_periods 9\n"
                    + "nr_throttled 8\nthrottled_usec 7\nnr_bursts 4\nburst_usec 6\n")
            .with("cpu.stat.local", "throttled_usec 11\n")
            .with("memory.stat", "anon 4096\nfile 8192\ninactive_file 6000\n")
            .with("memory.numa_stat", "anon N0=4096 N1=1\nfile N0=8192 N1=0\n")
            .with("memory.current", "16384\n")
            .with("memory.peak", "20480\n")
            .with("memory.swap.current", "0\n")
            .with("memory.swap.events", "high 1\nmax 2\nfail 3\n")
            .with("memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 1\n")
            .with("memory.events.local", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n")
            .with(
                "io.stat",
                "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=7\n7:0 \n"
                    + "253:0 rbytes=9\n")
            .with("pids.current", "7\n")
            .with("pids.events", "max 5\n")
            .with("pids.events.local", "max 3\n")
            .with("hugetlb.2MB.current", "2097152\n")
            .with("hugetlb.2MB.rsvd.current", "0\n")
            .with("hugetlb.2MB.events", "max 3\n")
            .with("hugetlb.2MB.events.local", "max 2\n")
            .with("hugetlb.2MB.numa_stat", "total=2097152 N0=0 N1=2097152\n")
            .with("rdma.current", "mlx4_0 hca_handle=2 hca_object=2000\n")
            .with("misc.current", "res_a 3\nres_b 0\n")
            .with("misc.peak", "res_a 4\nres_b 0\n")
            .with("misc.events", "res_a.max 2\nres_b.max 0\n")
            .with("misc.events.local", "res_a.max 1\nres_b.max 0\n")
            .with(
                "memory.pressure",
                "some avg10=1.50 avg60=0.00 avg300=0.00 total=2000\n"
                    + "full avg10=0.25 avg60=0.00 avg300=0.00 total=1000\n")) {
      Statistics all = files(group).read();
      assertThat(all.groups().living()).hasValue(2);
      assertThat(all.groups().dying()).hasValue(1);
      assertThat(all.groups().frozen()).hasValue(micros(21));
      assertThat(all.groups().stat().get("nr_subsys_cpu")).hasValue(3);
      Statistics.Cpu cpu = all.cpu();
      assertThat(cpu.total()).hasValue(micros(30));
      assertThat(cpu.user()).hasValue(micros(20));
      assertThat(cpu.system()).hasValue(micros(10));
      assertThat(cpu.nice()).hasValue(micros(5));
      assertThat(cpu.periods()).hasValue(9);
      assertThat(cpu.throttledPeriods()).hasValue(8);
      assertThat(cpu.throttled()).hasValue(micros(7));
      assertThat(cpu.throttledLocal()).hasValue(micros(11));
      assertThat(cpu.bursts()).hasValue(4);
      assertThat(cpu.burst()).hasValue(micros(6));
      assertThat(cpu.forcedIdle()).isEmpty();
      assertThat(all.memory().stat().get("anon")).hasValue(4096);
      assertThat(all.memory().workingSet()).hasValue(16384 - 6000);
      assertThat(all.memory().peak()).hasValue(20480);
      assertThat(all.memory().nodes().get(0).get("file")).hasValue(8192);
      assertThat(all.memory().nodes().get(1).get("anon")).hasValue(1);
      assertThat(all.memory().events().high()).hasValue(1);
      assertThat(all.memory().events().max()).hasValue(2);
      assertThat(all.memory().events().oom()).hasValue(3);
      assertThat(all.memory().events().oomKill()).hasValue(4);
      assertThat(all.memory().localEvents().oomKill()).hasValue(1);
      assertThat(all.memory().localEvents().oomGroupKill()).isEmpty();
      assertThat(all.swap().current()).hasValue(0);
      assertThat(all.swap().peak()).isEmpty();
      assertThat(all.swap().high()).hasValue(1);
      assertThat(all.swap().max()).hasValue(2);
      assertThat(all.swap().fail()).hasValue(3);
      assertThat(all.swap().withMemory()).isEmpty();
      assertThat(all.io().keySet()).containsExactly("8:0", "253:0");
      Statistics.Io disk = all.io().get("8:0");
      assertThat(disk.readBytes()).hasValue(1);
      assertThat(disk.writeBytes()).hasValue(2);
      assertThat(disk.reads()).hasValue(3);
      assertThat(disk.writes()).hasValue(4);
      assertThat(disk.discardBytes()).hasValue(5);
      assertThat(disk.discards()).hasValue(6);
      assertThat(disk.more().names()).containsExactly("cost.usage");
      assertThat(all.pids().current()).hasValue(7);
      assertThat(all.pids().peak()).isEmpty();
      assertThat(all.pids().rejected()).hasValue(5);
      assertThat(all.pids().rejectedLocal()).hasValue(3);
      Statistics.HugeTlb pages = all.hugeTlb().get("2MB");
      assertThat(pages.current()).hasValue(2097152);
      assertThat(pages.reserved()).hasValue(0);
      assertThat(pages.max()).hasValue(3);
      assertThat(pages.localMax()).hasValue(2);
      assertThat(pages.reservedLocalMax()).isEmpty();
      assertThat(pages.nodes()).isEqualTo(Map.of(0, 0L, 1, 2097152L));
      assertThat(all.rdma().get("mlx4_0").handles()).hasValue(2);
      assertThat(all.rdma().get("mlx4_0").objects()).hasValue(2000);
      Statistics.Misc misc = all.misc().get("res_a");
      assertThat(misc.current()).hasValue(3);
      assertThat(misc.peak()).hasValue(4);
      assertThat(misc.max()).hasValue(2);
      assertThat(misc.localMax()).hasValue(1);
      PressureStall memory = all.pressure(PressureKind.MEMORY).orElseThrow();
      assertThat(memory.some().orElseThrow().average10()).isEqualTo(1.5);
      assertThat(memory.full().orElseThrow().total()).isEqualTo(Duration.ofMillis(1));
      assertThat(all.pressure(PressureKind.CPU)).isEmpty();
    }
  }

  @Test
  void memoryOnV1() throws Exception {
    long page = PageSize.bytes().orElseThrow();
    try (FakeGroup group =
        FakeGroup.v1(temp, "memory")
            .with("memory.stat", "cache 1\ninactive_file 1\ntotal_cache 5\ntotal_inactive_file 4\n")
            .with("memory.numa_stat", "total=2 N0=2\nhierarchical_total=4 N0=3 N1=1\n")
            .with("memory.usage_in_bytes", "10\n")
            .with("memory.memsw.usage_in_bytes", "12\n")
            .with("memory.memsw.max_usage_in_bytes", "14\n")
            .with("memory.memsw.failcnt", "8\n")
            .with("memory.failcnt", "6\n")
            .with("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")) {
      Statistics all = files(group).read();
      Statistics.Memory memory = all.memory();
      assertThat(memory.stat().names()).containsExactly("cache", "inactive_file");
      assertThat(memory.stat().get("cache")).hasValue(5);
      assertThat(memory.workingSet()).hasValue(6);
      assertThat(memory.nodes().get(0).get("total")).hasValue(3 * page);
      assertThat(memory.nodes().get(1).get("total")).hasValue(page);
      assertThat(memory.events().oomKill()).isEmpty();
      assertThat(memory.localEvents().oomKill()).hasValue(2);
      assertThat(memory.localEvents().max()).hasValue(6);
      assertThat(all.swap().current()).isEmpty();
      assertThat(all.swap().withMemory()).hasValue(12);
      assertThat(all.swap().withMemoryPeak()).hasValue(14);
      assertThat(all.swap().withMemoryMax()).hasValue(8);
    }
  }

  @Test
  void timesOnV1AreInNanoseconds() throws Exception {
    Path cpuFolder = Files.createDirectory(temp.resolve("cpu"));
    Path acctFolder = Files.createDirectory(temp.resolve("cpuacct"));
    try (FakeGroup cpu =
            FakeGroup.v1(cpuFolder, "cpu")
                .with("cpu.stat", "nr_periods 3\nnr_throttled 2\nthrottled_time 5000\n")
                .with("cpu.stat.local", "throttled_time 7000\n");
        FakeGroup acct =
            FakeGroup.v1(acctFolder, "cpuacct")
                .with("cpuacct.usage", "9000\n")
                .with("cpuacct.usage_user", "8000\n")
                .with("cpuacct.usage_sys", "1000\n")) {
      Statistics.Cpu all = files(cpu, acct).read().cpu();
      assertThat(all.total()).hasValue(micros(9));
      assertThat(all.user()).hasValue(micros(8));
      assertThat(all.system()).hasValue(micros(1));
      assertThat(all.throttled()).hasValue(micros(5));
      assertThat(all.throttledLocal()).hasValue(micros(7));
      assertThat(all.throttledPeriods()).hasValue(2);
      assertThat(all.bursts()).isEmpty();
    }
  }

  @Test
  void olderKernelsTellV1sTimesInTicks() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "cpuacct")
            .with("cpuacct.usage", "40000000\n")
            .with("cpuacct.stat", "user 3\nsystem 1\n")) {
      Statistics.Cpu all = files(group).read().cpu();
      assertThat(all.user()).hasValue(Duration.ofMillis(30));
      assertThat(all.system()).hasValue(Duration.ofMillis(10));
    }
  }

  @Test
  void theTimeIsV2sAndTheThrottlingTheControllers() throws Exception {
    Path v2 = Files.createDirectory(temp.resolve("unified"));
    Path v1 = Files.createDirectory(temp.resolve("cpu"));
    try (FakeGroup unified = FakeGroup.v2(v2).with("cpu.stat", "usage_usec 30\nuser_usec 20\n");
        FakeGroup cpu = FakeGroup.v1(v1, "cpu").with("cpu.stat", "throttled_time 5000\n")) {
      Statistics.Cpu all = files(unified, cpu).read().cpu();
      assertThat(all.total()).hasValue(micros(30));
      assertThat(all.throttled()).hasValue(micros(5));
    }
  }

  @Test
  void hugePagesOnV1() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "hugetlb")
            .with("hugetlb.2MB.usage_in_bytes", "2097152\n")
            .with("hugetlb.2MB.max_usage_in_bytes", "4194304\n")
            .with("hugetlb.2MB.rsvd.max_usage_in_bytes", "6291456\n")
            .with(
                "hugetlb.2MB.numa_stat",
                "total=0 N0=0 N1=0\nhierarchical_total=2097152 N0=2097152 N1=0\n")
            .with("hugetlb.2MB.rsvd.failcnt", "5\n")
            .with("hugetlb.2MB.failcnt", "3\n")) {
      Statistics.HugeTlb pages = files(group).read().hugeTlb().get("2MB");
      assertThat(pages.peak()).hasValue(4194304);
      assertThat(pages.reservedPeak()).hasValue(6291456);
      assertThat(pages.reserved()).isEmpty();
      assertThat(pages.max()).isEmpty();
      assertThat(pages.localMax()).hasValue(3);
      assertThat(pages.reservedLocalMax()).hasValue(5);
      assertThat(pages.nodes()).isEqualTo(Map.of(0, 2097152L, 1, 0L));
    }
  }

  @Test
  void forksThatAreCountedPerGroupAreLocal() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "pids").with("pids.events", "max 5\n")) {
      Statistics.Pids pids = files(group).read().pids();
      assertThat(pids.rejected()).isEmpty();
      assertThat(pids.rejectedLocal()).hasValue(5);
    }
  }

  @Test
  void blockDevicesOnV1() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "blkio")
            .with(
                "blkio.throttle.io_service_bytes_recursive",
                "8:0 Read 4096\n8:0 Write 12\n8:0 Sync 9\n8:0 Discard 7\n8:0 Total 4115\n"
                    + "Total 4115\n")
            .with("blkio.throttle.io_serviced_recursive", "8:0 Read 1\n8:0 Write 2\nTotal 3\n")) {
      Statistics.Io disk = files(group).read().io().get("8:0");
      assertThat(disk.readBytes()).hasValue(4096);
      assertThat(disk.writeBytes()).hasValue(12);
      assertThat(disk.discardBytes()).hasValue(7);
      assertThat(disk.reads()).hasValue(1);
      assertThat(disk.discards()).isEmpty();
      assertThat(disk.more().isEmpty()).isTrue();
    }
  }

  @Test
  void blockDevicesOfBfqWhereNothingThrottles() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "blkio")
            .with("blkio.throttle.io_service_bytes_recursive", "Total 0\n")
            .with("blkio.bfq.io_service_bytes_recursive", "8:0 Read 4096\nTotal 4096\n")) {
      assertThat(files(group).read().io().get("8:0").readBytes()).hasValue(4096);
    }
  }

  @Test
  void nothingWhereThereIsNothing() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp)) {
      Statistics all = files(group).read();
      assertThat(all.memory().workingSet()).isEqualTo(OptionalLong.empty());
      assertThat(all.cpu().total()).isEmpty();
      assertThat(all.hugeTlb()).isEmpty();
      assertThat(all.io()).isEmpty();
      assertThat(all.misc()).isEmpty();
      assertThat(all.rdma()).isEmpty();
      assertThat(all.pressure()).isEmpty();
    }
  }

  @Test
  void filesStayOpenFromTheSecondTimeOn() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp).with("memory.current", "1\n").with("pids.current", "2\n")) {
      StatisticsFiles files = files(group);
      files.read();
      assertThat(openFiles()).isZero();
      files.read();
      assertThat(openFiles()).isEqualTo(2);
      files.read();
      assertThat(openFiles()).isEqualTo(2);
      // What was open is still what is read.
      Files.delete(temp.resolve("memory.current"));
      assertThat(files.read().memory().current()).hasValue(1);
    }
  }

  @Test
  void whatIsAbsentIsRememberedUntilTheGroupHasOtherControllers() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).with("cgroup.controllers", "memory\n")) {
      StatisticsFiles files = files(group);
      files.read();
      files.read();
      group.with("pids.current", "2\n");
      assertThat(files.read().pids().current()).isEmpty();
      group.with("cgroup.controllers", "memory pids\n");
      assertThat(files.read().pids().current()).hasValue(2);
    }
  }

  private long openFiles() throws IOException {
    return OpenFiles.targets().stream()
        .filter(file -> file.startsWith(temp) && !file.equals(temp))
        .count();
  }

  private static Duration micros(long count) {
    return Duration.ofNanos(count * 1000);
  }

  @Test
  void damagedFilesTellNothing() {
    assertThat(Counters.flat("a b\n\n 3\nx\ny 18446744073709551616\nz 1").names())
        .containsExactly("z");
    assertThat(Counters.nested("\n8:0\n8:1 =\n8:2 a=b").keySet()).isEmpty();
    assertThat(PressureStall.parse("some avg10=x total=1\nfull total=\n")).isEmpty();
    assertThat(PressureStall.parse("some avg10=0.00 avg60=0.00 avg300=0.00\n")).isEmpty();
  }

  @Test
  void damagedNodesTellNothing() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .with(
                "memory.numa_stat", "anon N=1 N-1=2 Nx=3 N0 N99999=4 M0=5\n\nfile N2=-1 N3=6\n")) {
      assertThat(files(group).read().memory().nodes().keySet()).containsExactly(3);
    }
  }

  @Test
  void sizesOfPages() throws Exception {
    for (String name : List.of("hugepages-1048576kB", "hugepages-2048kB", "hugepages-64kB", "x")) {
      Files.createDirectory(temp.resolve(name));
    }
    assertThat(HugePages.sizes(temp))
        .containsExactly(
            new HugePages.Size("64KB", 64 << 10),
            new HugePages.Size("2MB", 2 << 20),
            new HugePages.Size("1GB", 1 << 30));
    assertThat(HugePages.sizes(temp.resolve("none"))).isEmpty();
  }
}
