package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CpusetTest {
  private static final String PARTITION = "cpuset.cpus.partition";

  @TempDir Path temp;

  private static Limits cpus(String list) {
    return Limits.builder().cpusetCpus(list).build();
  }

  @ParameterizedTest
  @CsvSource({"true, cpuset.cpus.effective", "false, cpuset.effective_cpus"})
  void whatIsInEffectCounts(boolean unified, String effective) throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpuset")) {
      group.files("cpuset.cpus").with(effective, "2-3\n");
      assertThat(FakeGroup.apply(new Cpuset(group.directory, unified), cpus("3,2,5"), false))
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.CPUSET_CPUS,
                  Optional.of("3,2,5"),
                  new LimitValue.Text("2-3"),
                  "cpuset.cpus"));
      assertThat(group.read("cpuset.cpus")).isEqualTo("2-3,5");
    }
  }

  @Test
  void oldKernelsOfV1ShowOnlyWhatWasSet() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpuset").files("cpuset.cpus", "cpuset.mems")) {
      Limits limits = Limits.builder().cpusetCpus("1").cpusetMems("0").build();
      assertThat(FakeGroup.apply(new Cpuset(group.directory, false), limits, false))
          .hasSize(2)
          .allMatch(AppliedLimit::isEnforced);
      assertThat(group.read("cpuset.cpus")).isEqualTo("1");
      assertThat(group.read("cpuset.mems")).isEqualTo("0");
    }
  }

  /** v2 takes what the group above does not have, and gives all that it has. */
  @Test
  void whatCannotBeHadIsRefusedAndTakenBack() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).with("cpuset.cpus", "0-1")) {
      group.with("cpuset.cpus.effective", "0-1\n");
      Cpuset cpuset = new Cpuset(group.directory, true);
      assertThat(cpuset.isPresent()).isTrue();
      assertThatThrownBy(() -> FakeGroup.apply(cpuset, cpus("6-7"), false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("cannot limit cpuset-cpus to 6-7")
          .hasMessageContaining("none of 6-7 can be had here: in effect was 0-1")
          .hasMessageContaining("give some of 0-1");
      assertThat(group.read("cpuset.cpus")).isEqualTo("0-1");
      assertThat(FakeGroup.apply(cpuset, cpus("6-7"), true)).noneMatch(AppliedLimit::isEnforced);
    }
  }

  @ParameterizedTest
  @CsvSource({"''", "x", "0-", "0-99999"})
  void whatTheKernelWouldNotShowIsNotBelieved(String shown) throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("cpuset.cpus")) {
      group.with("cpuset.cpus.effective", shown + "\n");
      Cpuset cpuset = new Cpuset(group.directory, true);
      assertThat(FakeGroup.apply(cpuset, cpus("1"), true)).noneMatch(AppliedLimit::isEnforced);
    }
  }

  @ParameterizedTest
  @CsvSource({"member", "root", "isolated"})
  void partitions(String kind) throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files(PARTITION)) {
      Limits limits = Limits.builder().cpusetPartition(kind).build();
      assertThat(FakeGroup.apply(new Cpuset(group.directory, true), limits, false))
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.CPUSET_PARTITION,
                  Optional.of(kind),
                  new LimitValue.Text(kind),
                  PARTITION));
    }
  }

  /** The kernel takes the word, and says after it why it means nothing. */
  @Test
  void aPartitionThatIsNoneIsRefusedWithTheKernelsReason() throws Exception {
    String before = "???? invalid (Parent is not a partition root)\n";
    try (FakeGroup group = FakeGroup.v2(temp).with(PARTITION, before)) {
      Cpuset cpuset = new Cpuset(group.directory, true);
      Limits limits = Limits.builder().cpusetPartition("root").build();
      assertThatThrownBy(() -> FakeGroup.apply(cpuset, limits, false))
          .hasMessageContaining("cannot limit cpuset-partition to root")
          .hasMessageContaining("\"root invalid (Parent is not a partition root)\"")
          .hasMessageContaining("in a group that is a partition itself");
      assertThat(group.read(PARTITION)).isEqualTo(before);
    }
  }

  @Test
  void v1AndOldKernelsHaveNoPartitions() throws Exception {
    Limits limits = Limits.builder().cpusetPartition("root").build();
    try (FakeGroup group = FakeGroup.v1(temp, "cpuset").files("cpuset.cpus")) {
      Controllers controllers = new Controllers(List.of(group.branch));
      assertThatThrownBy(
              () -> controllers.apply(limits, new LimitRows(false, "cgroup-v1"), Map.of()))
          .hasMessageContaining("v1's cpuset controller has nothing like cpuset-partition");
      Cpuset unified = new Cpuset(group.directory, true);
      assertThatThrownBy(() -> FakeGroup.apply(unified, limits, false))
          .hasMessageContaining("ENOENT")
          .hasMessageContaining("use a kernel that has " + PARTITION);
    }
  }

  @Test
  void aGroupOfV1IsGivenWhatTheOneAboveHas() throws Exception {
    Path inner = Files.createDirectory(temp.resolve("inner"));
    try (FakeGroup above = FakeGroup.v1(temp, "cpuset");
        FakeGroup group = FakeGroup.v1(inner, "cpuset")) {
      Cpuset.seed(group.directory, above.directory); // without files there is nothing to do
      above.with("cpuset.cpus", "0-3\n").with("cpuset.mems", "0\n");
      group.with("cpuset.cpus", "\n").with("cpuset.mems", "1\n");
      Cpuset.seed(group.directory, above.directory);
      assertThat(group.read("cpuset.cpus")).isEqualTo("0-3");
      assertThat(group.read("cpuset.mems")).isEqualTo("1\n");
      above.with("cpuset.cpus", "\n");
      group.with("cpuset.cpus", "\n");
      Cpuset.seed(group.directory, above.directory); // nothing above, nothing here
      assertThat(group.read("cpuset.cpus")).isEqualTo("\n");
    }
  }
}
