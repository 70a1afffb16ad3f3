package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatisticsTest {
  @TempDir Path temp;

  @Test
  void everythingOnV2() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .with("cpu.stat", "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_bursts 4\n")
            .with("memory.stat", "anon 4096\nfile 8192\ninactive_file 6000\n")
            .with("memory.current", "16384\n")
            .with("memory.peak", "20480\n")
            .with("memory.swap.current", "0\n")
            .with("memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 1\n")
            .with("memory.events.local", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n")
            .with("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4\n7:0 \n253:0 rbytes=9\n")
            .with("pids.current", "7\n")
            .with("pids.events", "max 5\n")
            .with("hugetlb.2MB.current", "2097152\n")
            .with("hugetlb.2MB.rsvd.current", "0\n")
            .with("hugetlb.2MB.events", "max 3\n")
            .with("rdma.current", "mlx4_0 hca_handle=2 hca_object=2000\n")
            .with("misc.current", "res_a 3\nres_b 0\n")
            .with(
                "memory.pressure",
                "some avg10=1.50 avg60=0.00 avg300=0.00 total=2000\n"
                    + "full avg10=0.25 avg60=0.00 avg300=0.00 total=1000\n")) {
      Statistics all =
          new StatisticsFiles(List.of(group.branch), List.of(new HugePages.Size("2MB", 2 << 20)))
              .read();
      assertThat(all.cpu().get("nr_bursts")).hasValue(4);
      assertThat(all.cpu().get("nr_throttled")).isEmpty();
      assertThat(all.memory().get("anon")).hasValue(4096);
      assertThat(all.workingSet()).hasValue(16384 - 6000);
      assertThat(all.memoryPeak()).hasValue(20480);
      assertThat(all.swapCurrent()).hasValue(0);
      assertThat(all.swapPeak()).isEmpty();
      assertThat(all.memoryEvents().get("oom_kill")).hasValue(4);
      assertThat(all.memoryEventsLocal().get("oom_kill")).hasValue(1);
      assertThat(all.swapEvents().isEmpty()).isTrue();
      assertThat(all.io().keySet()).containsExactly("8:0", "253:0");
      assertThat(all.io().get("8:0").get("wios")).hasValue(4);
      assertThat(all.pidsCurrent()).hasValue(7);
      assertThat(all.pidsPeak()).isEmpty();
      assertThat(all.pidsEvents().get("max")).hasValue(5);
      assertThat(all.hugetlb().get("2MB").get("current")).hasValue(2097152);
      assertThat(all.hugetlb().get("2MB").get("max")).hasValue(3);
      assertThat(all.rdma().get("mlx4_0").get("hca_object")).hasValue(2000);
      assertThat(all.misc().get("res_a")).hasValue(3);
      PressureStall memory = all.pressure(PressureKind.MEMORY).orElseThrow();
      assertThat(memory.some().orElseThrow().average10()).isEqualTo(1.5);
      assertThat(memory.full().orElseThrow().total()).isEqualTo(Duration.ofMillis(1));
      assertThat(all.pressure(PressureKind.CPU)).isEmpty();
    }
  }

  @Test
  void memoryOnV1() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "memory")
            .with("memory.stat", "cache 1\ninactive_file 1\ntotal_cache 5\ntotal_inactive_file 4\n")
            .with("memory.usage_in_bytes", "10\n")
            .with("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")) {
      Statistics all = new StatisticsFiles(List.of(group.branch), List.of()).read();
      assertThat(all.memory().names()).containsExactly("cache", "inactive_file");
      assertThat(all.memory().get("cache")).hasValue(5);
      assertThat(all.workingSet()).hasValue(6);
      assertThat(all.memoryEvents().isEmpty()).isTrue();
      assertThat(all.memoryEventsLocal().get("oom_kill")).hasValue(2);
    }
  }

  @Test
  void blockDevicesOnV1() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "blkio")
            .with(
                "blkio.throttle.io_service_bytes_recursive",
                "8:0 Read 4096\n8:0 Write 12\n8:0 Discard 7\nTotal 4108\n")
            .with("blkio.throttle.io_serviced_recursive", "8:0 Read 1\n8:0 Write 2\nTotal 3\n")) {
      Statistics all = new StatisticsFiles(List.of(group.branch), List.of()).read();
      assertThat(all.io().get("8:0").names()).containsExactly("rbytes", "wbytes", "rios", "wios");
      assertThat(all.io().get("8:0").get("wbytes")).hasValue(12);
    }
  }

  @Test
  void nothingWhereThereIsNothing() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp)) {
      Statistics all =
          new StatisticsFiles(List.of(group.branch), List.of(new HugePages.Size("2MB", 2 << 20)))
              .read();
      assertThat(all.workingSet()).isEqualTo(OptionalLong.empty());
      assertThat(all.cpu().isEmpty()).isTrue();
      assertThat(all.hugetlb()).isEmpty();
      assertThat(all.io()).isEmpty();
      assertThat(all.pressure()).isEmpty();
    }
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
