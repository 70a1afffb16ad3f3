package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.LimitValue;
import dev.holdfast.cgroup.Limits;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of the members of {@code linux.resources}. */
class SettingsTest {
  private static final String R = "linux.resources.";

  @Test
  void everyMemberBecomesALimit() throws Exception {
    List<String> lines =
        OciSpec.parse(Documents.full()).resources().settings().stream()
            .map(setting -> setting.path() + " → " + setting.kind() + " " + setting.text())
            .toList();

    assertThat(lines)
        .containsExactly(
            R
                + "devices → DEVICE !a *:* rwm, b 8:* r, c 1:3 rwm, c 1:5 rwm, c 1:7 rwm, c 1:8 rwm,"
                + " c 1:9 rwm, c 5:0 rwm, c 5:1 rwm, c 5:2 rwm, c 10:229 rw, c 136:* rwm",
            R + "memory.limit → MEMORY 536870912",
            R + "memory.reservation → MEMORY_LOW 268435456",
            R + "memory.swap → SWAP 268435456",
            R + "memory.kernel → MEMORY_KERNEL 33554432",
            R + "memory.kernelTCP → SET memory.kmem.tcp.limit_in_bytes=16777216",
            R + "memory.swappiness → SWAPPINESS 10",
            R + "memory.disableOOMKiller → OOM_KILL_DISABLE yes",
            R + "cpu.shares → CPU_WEIGHT 512 shares",
            R + "cpu.quota → CPUS 25000 50000",
            R + "cpu.burst → CPU_BURST 10000us",
            R + "cpu.realtimeRuntime → CPU_REALTIME 950000/1000000",
            R + "cpu.cpus → CPUSET_CPUS 2-3",
            R + "cpu.mems → CPUSET_MEMS 0-7",
            R + "cpu.idle → CPU_IDLE no",
            R + "pids.limit → PIDS 32771",
            R + "blockIO.weight → IO_WEIGHT 100 (blkio)",
            R + "blockIO.weightDevice[0].weight → IO_WEIGHT 8:0=500 (blkio)",
            R + "blockIO.weightDevice[1].weight → IO_WEIGHT 8:16=1000 (blkio)",
            R + "blockIO.leafWeight → SET blkio.leaf_weight=20",
            R
                + "blockIO.weightDevice[0].leafWeight → SET blkio.leaf_weight_device=8:0 300\n"
                + "8:16 200",
            R + "blockIO.throttleReadBpsDevice[0] → IO_MAX 8:0:rbps=600,riops=max",
            R + "blockIO.throttleWriteBpsDevice[0] → IO_MAX 8:16:wbps=700,wiops=300",
            R + "hugepageLimits[0] → HUGETLB 2MB=209715200",
            R + "hugepageLimits[1] → HUGETLB 64KB=0",
            R + "network.classID → NET_CLASS 1048577",
            R + "network.priorities[0] → NET_PRIORITY eth0=500",
            R + "network.priorities[1] → NET_PRIORITY lo=0",
            R + "rdma.mlx5_1 → RDMA mlx5_1:hca_handle=3,hca_object=10000",
            R + "rdma.mlx4_0 → RDMA mlx4_0:hca_object=1000",
            R + "unified[\"memory.high\"] → SET memory.high=402653184",
            R + "unified[\"io.max\"] → SET io.max=8:0 rbps=1\n8:16 rbps=2");
  }

  static Stream<Arguments> limits() {
    return Stream.of(
        row("\"memory\":{\"limit\":67108864}", "MEMORY 67108864"),
        row("\"memory\":{\"limit\":-1}", "MEMORY max", "SWAP max"),
        row("\"memory\":{\"limit\":-1,\"swap\":-1}", "MEMORY max", "SWAP max"),
        row("\"memory\":{\"limit\":64,\"swap\":-1}", "MEMORY 64", "SWAP max"),
        row("\"memory\":{\"limit\":64,\"swap\":64}", "MEMORY 64", "SWAP 0"),
        row("\"memory\":{\"limit\":64,\"swap\":65}", "MEMORY 64", "SWAP 1"),
        row("\"memory\":{\"swap\":-1}", "SWAP max"),
        row("\"memory\":{\"reservation\":-1}", "MEMORY_LOW max"),
        row("\"cpu\":{\"shares\":1024}", "CPU_WEIGHT 1024"),
        row("\"cpu\":{\"quota\":150000}", "CPUS 150000 100000"),
        row("\"cpu\":{\"quota\":-1}", "CPUS max 100000"),
        row("\"cpu\":{\"quota\":0,\"period\":20000}", "CPUS max 20000"),
        row("\"cpu\":{\"quota\":1000,\"period\":1000000}", "CPUS 1000 1000000"),
        row("\"cpu\":{\"period\":20000}", "CPUS - 20000"),
        row("\"cpu\":{\"shares\":512,\"idle\":1}", "CPU_IDLE 1"),
        row("\"cpu\":{\"idle\":0}", "CPU_IDLE 0"),
        row("\"cpu\":{\"burst\":0}", "CPU_BURST 0"),
        row("\"cpu\":{\"burst\":20000}", "CPU_BURST 20000"),
        row("\"cpu\":{\"realtimeRuntime\":950000}", "CPU_REALTIME 950000 1000000"),
        row("\"cpu\":{\"realtimeRuntime\":-1}", "CPU_REALTIME max 1000000"),
        row("\"cpu\":{\"realtimeRuntime\":5,\"realtimePeriod\":10}", "CPU_REALTIME 5 10"),
        row("\"cpu\":{\"realtimeRuntime\":0,\"realtimePeriod\":20000}", "CPU_REALTIME - 20000"),
        row("\"memory\":{\"kernel\":65536}", "MEMORY_KERNEL 65536"),
        row("\"blockIO\":{\"weight\":10}", "IO_WEIGHT 10"),
        row(
            "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":1000}],"
                + "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":5}],"
                + "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":0}]}",
            "IO_WEIGHT 1000",
            "IO_MAX rbps=5 wiops=max"),
        row(
            "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0},"
                + "{\"pageSize\":\"1GB\",\"limit\":1073741824}]",
            "HUGETLB 0",
            "HUGETLB 1073741824"),
        row("\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}}", "RDMA hca_handle=3"),
        row("\"cpu\":{\"cpus\":\"3,0-1\",\"mems\":\"0\"}", "CPUSET_CPUS 0-1,3", "CPUSET_MEMS 0"),
        row("\"memory\":{\"swappiness\":0}", "SWAPPINESS 0"),
        row("\"memory\":{\"disableOOMKiller\":true}", "OOM_KILL_DISABLE 1"),
        row("\"pids\":{\"limit\":0}", "PIDS 1"),
        row("\"pids\":{\"limit\":-1}", "PIDS max"),
        row("\"pids\":{\"limit\":-9223372036854775808}", "PIDS max"),
        row("\"pids\":{\"limit\":100}", "PIDS 100"),
        row("\"network\":{\"classID\":4294967295}", "NET_CLASS 4294967295"),
        row(
            "\"unified\":{\"cgroup.max.depth\":\"3\",\"hugetlb.1GB.max\":\"max\"}",
            "SET 3",
            "SET max"));
  }

  private static Arguments row(String members, String... limits) {
    return Arguments.of(members, List.of(limits));
  }

  @ParameterizedTest
  @MethodSource("limits")
  void zeroAndMinusOneMeanWhatOciSays(String members, List<String> expected) throws Exception {
    Limits limits = OciSpec.parse(Documents.resources(members)).limits();
    assertThat(limits.requests())
        .extracting(request -> request.kind() + " " + request.value())
        .containsExactlyElementsOf(expected);
  }

  @Test
  void whatIsSaidLaterTakesThePlaceOfTheDocument() throws Exception {
    Limits.Builder builder = Limits.builder();
    OciSpec.parse(Documents.resources("\"memory\":{\"limit\":64},\"pids\":{\"limit\":5}"))
        .resources()
        .addTo(builder);
    Limits limits = builder.memory("1M").build();
    assertThat(limits.get(LimitKind.MEMORY).orElseThrow().value())
        .isEqualTo(LimitValue.count(1 << 20));
    assertThat(limits.get(LimitKind.PIDS).orElseThrow().value()).isEqualTo(LimitValue.count(5));
  }
}
