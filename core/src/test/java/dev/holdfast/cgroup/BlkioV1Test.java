package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BlkioV1Test {
  private static final String WRITE = "blkio.throttle.write_bps_device";
  private static final String READS = "blkio.throttle.read_iops_device";
  private static final String COUNTS = "blkio.throttle.io_service_bytes";

  @TempDir Path temp;

  private List<AppliedLimit> apply(FakeGroup group, Limits limits) throws Exception {
    return FakeGroup.apply(new BlkioV1(group.directory, temp), limits, false);
  }

  private FakeGroup group() throws Exception {
    return FakeGroup.v1(temp, "blkio");
  }

  @Test
  void eachRateHasAFile() throws Exception {
    try (FakeGroup group = group().files(WRITE, READS)) {
      Limits limits = Limits.builder().set(LimitKind.IO_MAX, "8:0:wbps=1M,riops=100").build();
      AppliedLimit row = apply(group, limits).getFirst();
      assertThat(group.read(WRITE)).isEqualTo("8:0 1048576");
      assertThat(group.read(READS)).isEqualTo("8:0 100");
      assertThat(row.effective()).hasValue(new LimitValue.Text("8:0 wbps=1048576 riops=100"));
      assertThat(row.by()).hasValue(WRITE + ", " + READS);
    }
  }

  @Test
  void noLimitIsZeroAndHasNoLine() throws Exception {
    try (FakeGroup group = group().forgetful(WRITE)) {
      AppliedLimit row =
          apply(group, Limits.builder().ioMax("8:0", IoRate.WRITE_BYTES, "max").build()).getFirst();
      assertThat(row.effective()).hasValue(new LimitValue.Text("8:0 wbps=max"));
      Limits limits = Limits.builder().ioMax("8:0", IoRate.WRITE_BYTES, "5").build();
      assertThatThrownBy(() -> apply(group, limits)).hasMessageContaining("after 5 was set");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "blkio.bfq.weight, io, 300, 300",
    "blkio.bfq.weight, blkio, 300, 300",
    "blkio.weight, blkio, 300, 300",
    "blkio.weight, io, 100, 500",
    "blkio.weight, io, 2, 10"
  })
  void aWeightInTheUnitOfTheFile(String file, String unit, long weight, long written)
      throws Exception {
    Limits.Builder limits = Limits.builder();
    limits = unit.equals("io") ? limits.ioWeight(weight) : limits.blkioWeight(weight);
    try (FakeGroup group = group().files(file)) {
      AppliedLimit row = apply(group, limits.build()).getFirst();
      assertThat(group.read(file)).isEqualTo(Long.toString(written));
      assertThat(row.effective()).hasValue(LimitValue.count(written));
      assertThat(row.by()).hasValue(file);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"blkio.bfq.weight_device", "blkio.weight_device"})
  void weightsOfDevicesHaveAFileOfTheirOwn(String file) throws Exception {
    try (FakeGroup group = group().files(file)) {
      apply(group, Limits.builder().blkioWeight("8:16", 300).build());
      assertThat(group.read(file)).isEqualTo("8:16 300");
    }
  }

  @Test
  void outOfRangeIsRefused() throws Exception {
    try (FakeGroup group = group().files("blkio.weight")) {
      assertThatThrownBy(() -> apply(group, Limits.builder().ioWeight(1).build()))
          .hasMessageContaining("blkio.weight takes 10 to 1000, and this is 5 there");
    }
  }

  @Test
  void countsBytes() throws Exception {
    String some = "8:0 Read 5\n8:0 Write 7\n8:0 Total 12\n8:16 Read 1\n8:16 Write 0\nTotal 13\n";
    try (FakeGroup group = group().with(COUNTS, "8:0 Read 1\n").with(COUNTS + "_recursive", some)) {
      Usage.Io io = FakeGroup.usage(new BlkioV1(group.directory, temp)).io();
      assertThat(io).isEqualTo(new Usage.Io(OptionalLong.of(6), OptionalLong.of(7)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Total 0\n", "", "8:0 Read x\n8:0 Write -1\n", "8:0 Read 1 2\n"})
  void whatIsNotCountedIsNotZero(String text) throws Exception {
    try (FakeGroup group = group().with(COUNTS, text)) {
      assertThat(FakeGroup.usage(new BlkioV1(group.directory, temp)).io()).isEqualTo(Usage.Io.NONE);
    }
  }
}
