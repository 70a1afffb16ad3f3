package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyedSyntaxTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "IO_WEIGHT | 100 | | 100",
        "IO_WEIGHT | 8:16=10000 | 8:16 | 10000",
        "IO_MAX | 8:0:rbps=1K,wbps=max,riops=1,wiops=4294967295 | 8:0 |"
            + " rbps=1024 wbps=max riops=1 wiops=max",
        "IO_MAX | 259:1048575:wiops=4294967294 | 259:1048575 | wiops=4294967294",
        "IO_LATENCY | 8:0=10ms | 8:0 | target=10000",
        "IO_LATENCY | 008:00=max | 8:0 | target=max",
        "HUGETLB | 2M=64M | 2MB | 67108864",
        "HUGETLB | 2MiB=1 | 2MB | 1",
        "HUGETLB | 1GB=unlimited | 1GB | max",
        "HUGETLB | 64K=1G | 64KB | 1073741824",
        "RDMA | mlx5_1:hca_handle=3 | mlx5_1 | hca_handle=3",
        "RDMA | mlx5_1:hca_object=max,hca_handle=0 | mlx5_1 | hca_object=max hca_handle=0",
        "MISC | sev=0 | sev | 0",
        "MISC | sev_es=max | sev_es | max",
        "CPU_REALTIME | 950000/1000000 | | 950000 1000000",
        "CPU_REALTIME | max/1000000 | | max 1000000",
        "MEMORY_KERNEL | 1M | | 1048576",
        "CPU_UCLAMP_MIN | 12.5 | | 12.50"
      })
  void isRead(LimitKind kind, String text, String key, String value) {
    Limits.Request request = Limits.builder().set(kind, text).build().requests().getFirst();
    assertThat(request.kind()).isEqualTo(kind);
    assertThat(request.key()).isEqualTo(key == null ? "" : key);
    assertThat(request.value()).hasToString(value);
    assertThat(request.text()).hasValue(text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "IO_WEIGHT | 0",
        "IO_WEIGHT | 10001",
        "IO_WEIGHT | max",
        "IO_WEIGHT | sda=5",
        "IO_WEIGHT | =5",
        "IO_MAX | 8:0",
        "IO_MAX | 8:0:",
        "IO_MAX | 8:0:rbps",
        "IO_MAX | 8:0:rbps=",
        "IO_MAX | 8:0:rbps=0",
        "IO_MAX | 8:0:bps=1",
        "IO_MAX | 8:0:rbps=1,",
        "IO_MAX | 8:0:rbps=1,rbps=2",
        "IO_MAX | 8:0:riops=1K",
        "IO_MAX | rbps=1",
        "IO_MAX | 4096:0:rbps=1",
        "IO_MAX | 8:1048576:rbps=1",
        "IO_MAX | 8:-1:rbps=1",
        "IO_MAX | /dev/null:rbps=1",
        "IO_MAX | /dev/nothing:rbps=1",
        "IO_MAX | dev:rbps=1",
        "IO_LATENCY | 8:0",
        "IO_LATENCY | 8:0=1",
        "HUGETLB | 2M",
        "HUGETLB | 2M=0",
        "HUGETLB | =1M",
        "HUGETLB | 1000=1M",
        "HUGETLB | max=1M",
        "HUGETLB | 2XB=1M",
        "RDMA | mlx",
        "RDMA | mlx:",
        "RDMA | mlx:hca=1",
        "RDMA | mlx:hca_handle=-1",
        "RDMA | m x:hca_handle=1",
        "MISC | sev",
        "MISC | =1",
        "MISC | sev=-1",
        "CPU_REALTIME | -1/1000",
        "CPU_REALTIME | 2000/1000",
        "CPU_REALTIME | max",
        "MEMORY_KERNEL | 0"
      })
  void isRefused(LimitKind kind, String text) {
    assertThatThrownBy(() -> Limits.builder().set(kind, text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching("(?s).*(\"|/dev/).*");
  }

  @Test
  void ratesOfOneDeviceAreOneLimit() {
    Limits limits =
        Limits.builder()
            .ioMax("8:0", IoRate.READ_BYTES, "1M")
            .ioMax("8:16", IoRate.READ_BYTES, "2M")
            .ioMax("8:0", IoRate.WRITES, "9")
            .ioMax("8:0", IoRate.READ_BYTES, "3M")
            .build();
    assertThat(limits.all(LimitKind.IO_MAX))
        .extracting(request -> request.key() + " " + request.value())
        .containsExactly("8:16 rbps=2097152", "8:0 rbps=3145728 wiops=9");
  }

  @Test
  void typedOnesAreTheSame() {
    assertThat(Limits.builder().cpuUclampMax(12.345).build().requests().getFirst().value())
        .hasToString("12.35");
    assertThat(Limits.builder().cpuUclampMin(100).build().requests().getFirst().value())
        .hasToString("max");
    assertThat(Limits.builder().cpuRealtime(-1, 5000).build().requests().getFirst().value())
        .hasToString("max 5000");
    assertThat(Limits.builder().cpuRealtimePeriod(5000).build().requests().getFirst().value())
        .hasToString("- 5000");
    assertThat(Limits.builder().hugetlb("2MB", 0).build().requests().getFirst().value())
        .hasToString("0");
    assertThatThrownBy(() -> Limits.builder().cpuUclampMin(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Limits.builder().cpuRealtimePeriod(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Limits.builder().blkioWeight(9))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Limits.builder().hugetlb("2MB", -1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
