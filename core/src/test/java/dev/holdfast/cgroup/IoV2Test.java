package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.linux.Errno;
import dev.holdfast.linux.Faults;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IoV2Test {
  @TempDir Path temp;
  @TempDir Path sys;

  private List<AppliedLimit> apply(FakeGroup group, Limits limits) throws Exception {
    return FakeGroup.apply(new IoV2(group.directory, true, sys), limits, false);
  }

  private static String effective(List<AppliedLimit> rows) {
    return rows.getFirst().effective().orElseThrow() + " in " + rows.getFirst().by().orElseThrow();
  }

  @Test
  void ratesOfADeviceAreWrittenAtOnce() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("io.max")) {
      Limits limits =
          Limits.builder()
              .set(LimitKind.IO_MAX, "8:0:wbps=1M,riops=max")
              .set(LimitKind.IO_MAX, "8:0:wiops=7")
              .build();
      List<AppliedLimit> rows = apply(group, limits);
      assertThat(group.read("io.max")).isEqualTo("8:0 wbps=1048576 riops=max wiops=7");
      assertThat(effective(rows)).isEqualTo("8:0 wbps=1048576 riops=max wiops=7 in io.max");
      assertThat(rows.getFirst().requested()).hasValue("8:0:wbps=1M,riops=max, 8:0:wiops=7");
      assertThat(rows.getFirst().key()).isEqualTo("8:0");
    }
  }

  @Test
  void aLimitThatIsLiftedMayLeaveNoLine() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).forgetful("io.max")) {
      List<AppliedLimit> rows =
          apply(group, Limits.builder().ioMax("8:0", IoRate.READS, "max").build());
      assertThat(rows.getFirst().effective()).hasValue(LimitValue.UNLIMITED);
      Limits limits = Limits.builder().ioMax("8:0", IoRate.READS, "5").build();
      assertThatThrownBy(() -> apply(group, limits))
          .hasMessageContaining("io.max reads \"\" after riops=5 was set");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "io.weight, io, 300, 300",
    "io.weight, io, 10000, 10000",
    "io.weight, blkio, 10, 1",
    "io.weight, blkio, 500, 4950",
    "io.weight, blkio, 1000, 10000",
    "io.bfq.weight, io, 300, 300",
    "io.bfq.weight, blkio, 500, 500"
  })
  void aWeightInTheUnitOfTheFile(String file, String unit, long weight, long written)
      throws Exception {
    Limits.Builder limits = Limits.builder();
    limits = unit.equals("io") ? limits.ioWeight(weight) : limits.blkioWeight(weight);
    try (FakeGroup group = FakeGroup.v2(temp).files(file)) {
      assertThat(effective(apply(group, limits.build()))).isEqualTo(written + " in " + file);
      assertThat(group.read(file)).isEqualTo(Long.toString(written));
    }
  }

  @Test
  void bfqWins() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("io.weight", "io.bfq.weight")) {
      Limits limits = Limits.builder().blkioWeight("8:16", 200).build();
      assertThat(effective(apply(group, limits))).isEqualTo("200 in io.bfq.weight");
      assertThat(group.read("io.bfq.weight")).isEqualTo("8:16 200");
      assertThat(group.read("io.weight")).isEmpty();
      Limits more = Limits.builder().ioWeight(1001).build();
      assertThatThrownBy(() -> apply(group, more))
          .hasMessageContaining("io.bfq.weight takes 1 to 1000, and this is 1001 there");
    }
  }

  @Test
  void weightsAreReadFromTheirLines() throws Exception {
    // What is written goes over the beginning.
    try (FakeGroup group = FakeGroup.v2(temp).with("io.weight", "default 100\n8:16 200\n")) {
      Limits limits = Limits.builder().ioWeight("8:16", 300).build();
      assertThatThrownBy(() -> apply(group, limits)).hasMessageContaining("io.weight reads");
    }
  }

  @Test
  void latency() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("io.latency")) {
      Limits limits = Limits.builder().ioLatency("8:0", Duration.ofMillis(10)).build();
      assertThat(effective(apply(group, limits))).isEqualTo("8:0 target=10000 in io.latency");
      assertThat(group.read("io.latency")).isEqualTo("8:0 target=10000");
    }
  }

  @Test
  void whatTheKernelDoesNotHave() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("io.stat")) {
      assertThatThrownBy(
              () -> apply(group, Limits.builder().set(LimitKind.IO_LATENCY, "8:0=1ms").build()))
          .hasMessageContaining("io.latency: ENOENT");
      assertThatThrownBy(() -> apply(group, Limits.builder().ioWeight(50).build()))
          .hasMessageContaining("io.weight: ENOENT");
    }
  }

  @Test
  void ofAPartitionTheDiskIsNamed() throws Exception {
    Path partition = Files.createDirectories(sys.resolve("devices/block/sda/sda1"));
    Files.writeString(partition.resolve("partition"), "1\n");
    Files.writeString(sys.resolve("devices/block/sda/dev"), "8:0\n");
    Files.createDirectories(sys.resolve("dev/block"));
    Files.createSymbolicLink(sys.resolve("dev/block/8:1"), partition);
    try (FakeGroup group = FakeGroup.v2(temp).files("io.max");
        Faults faults = Faults.failing(new Faults.Site("write", "io.max"), Errno.ENODEV)) {
      Limits limits = Limits.builder().ioMax("8:1", IoRate.WRITE_BYTES, "1M").build();
      assertThatThrownBy(() -> apply(group, limits))
          .hasMessageContaining("the device 8:1 is a partition, and io.max is about whole disks")
          .hasMessageEndingWith("io.max: ENODEV (give its disk, sda (8:0))");
    }
  }

  @Test
  void besideV1ItOnlyCounts() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("io.max", "io.stat")) {
      assertThat(new IoV2(group.directory, false, sys).serves(Set.of("io"))).isFalse();
      assertThat(new IoV2(group.directory, true, sys).serves(Set.of("io"))).isTrue();
      assertThat(new IoV2(group.directory, true, sys).isPresent()).isTrue();
    }
  }
}
