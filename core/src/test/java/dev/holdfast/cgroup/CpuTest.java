package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuTest {
  @TempDir Path temp;

  @Test
  void theQuotaIsNeverBelowAMillisecond() {
    assertThat(CpuQuota.of(1.5)).isEqualTo(new CpuQuota(150_000, 100_000));
    assertThat(CpuQuota.of(0.01)).isEqualTo(new CpuQuota(1_000, 100_000));
    assertThat(CpuQuota.of(0.005)).isEqualTo(new CpuQuota(1_000, 200_000));
    assertThat(CpuQuota.of(0.001)).isEqualTo(new CpuQuota(1_000, 1_000_000));
    assertThat(CpuQuota.of(0.0001)).isEqualTo(new CpuQuota(1_000, 1_000_000));
  }

  @Test
  void readsBandwidth() {
    assertThat(CpuQuota.parse("150000 100000\n")).isEqualTo(LimitValue.cpus(1.5));
    assertThat(CpuQuota.parse("max 100000\n")).isEqualTo(LimitValue.UNLIMITED);
    assertThat(CpuQuota.parse("")).isNull();
    assertThat(CpuQuota.parse("1 0")).isNull();
    assertThat(CpuQuota.value("-1\n", "100000\n")).isEqualTo(LimitValue.UNLIMITED);
  }

  @Test
  void weightsBecomeSharesAndBack() {
    assertThat(CpuV1.shares(1)).isEqualTo(10);
    assertThat(CpuV1.shares(100)).isEqualTo(1024);
    assertThat(CpuV1.shares(10_000)).isEqualTo(102_400);
    for (long weight = 1; weight <= 10_000; weight++) {
      assertThat(CpuV1.weight(Long.toString(CpuV1.shares(weight))))
          .isEqualTo(LimitValue.count(weight));
    }
  }

  @Test
  void v2() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .files("cpu.max", "cpu.weight")
            .with(
                "cpu.stat",
                "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnice_usec 0\n"
                    + "nr_periods 5\nnr_throttled 4\nthrottled_usec 3\n")) {
      CpuV2 cpu = new CpuV2(group.directory, true);
      assertThat(cpu.isPresent()).isTrue();
      assertThat(FakeGroup.apply(cpu, Limits.builder().cpus("0.5").cpuWeight(7).build(), false))
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.CPUS, Optional.of("0.5"), LimitValue.cpus(0.5), "cpu.max"),
              AppliedLimit.enforced(
                  LimitKind.CPU_WEIGHT, Optional.of("7"), LimitValue.count(7), "cpu.weight"));
      assertThat(group.read("cpu.max")).isEqualTo("50000 100000");
      assertThat(FakeGroup.usage(cpu).cpu())
          .isEqualTo(
              new Usage.Cpu(
                  Optional.of(Duration.ofNanos(30_000)),
                  Optional.of(Duration.ofNanos(20_000)),
                  Optional.of(Duration.ofNanos(10_000)),
                  Optional.of(Duration.ofNanos(3_000)),
                  OptionalLong.of(4)));
      group.with("cpu.stat", "usage_usec 30\nuser_usec 20\nsystem_usec 10\n");
      assertThat(FakeGroup.usage(cpu).cpu().throttledPeriods()).isEmpty();
    }
  }

  @Test
  void v1() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "cpu")
            .files("cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares")
            .with("cpu.stat", "nr_periods 5\nnr_throttled 4\nthrottled_time 3\n")) {
      CpuV1 cpu = new CpuV1(group.directory);
      List<AppliedLimit> rows =
          FakeGroup.apply(cpu, Limits.builder().cpus("0.005").cpuWeight(200).build(), false);
      assertThat(rows).allMatch(AppliedLimit::isEnforced);
      assertThat(rows.getFirst().effective()).hasValue(LimitValue.cpus(0.005));
      assertThat(rows.getLast().effective()).hasValue(LimitValue.count(200));
      assertThat(group.read("cpu.cfs_quota_us")).isEqualTo("1000");
      assertThat(group.read("cpu.cfs_period_us")).isEqualTo("200000");
      assertThat(group.read("cpu.shares")).isEqualTo("2048");
      assertThat(FakeGroup.usage(cpu).cpu().throttled()).hasValue(Duration.ofNanos(3));
      assertThat(FakeGroup.usage(cpu).cpu().total()).isEmpty();
    }
  }

  @Test
  void sharesAndQuotasOnV2() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("cpu.max", "cpu.weight")) {
      CpuV2 cpu = new CpuV2(group.directory, true);
      List<AppliedLimit> rows =
          FakeGroup.apply(
              cpu, Limits.builder().cpuShares(512).cpuQuota(25_000, 50_000).build(), false);
      assertThat(rows)
          .containsExactly(
              AppliedLimit.enforced(
                  LimitKind.CPUS, Optional.of("25000 50000"), LimitValue.cpus(0.5), "cpu.max"),
              AppliedLimit.enforced(
                  LimitKind.CPU_WEIGHT,
                  Optional.of("512 shares"),
                  LimitValue.count(59),
                  "cpu.weight"));
      assertThat(group.read("cpu.max")).isEqualTo("25000 50000");
      assertThat(group.read("cpu.weight")).isEqualTo("59");
    }
  }

  @Test
  void aPeriodAloneKeepsTheQuota() throws Exception {
    Limits period = Limits.builder().cpuPeriod(20_000).build();
    try (FakeGroup group = FakeGroup.v2(temp).with("cpu.max", "10000 50000\n")) {
      assertThat(
              FakeGroup.apply(new CpuV2(group.directory, true), period, false)
                  .getFirst()
                  .effective())
          .hasValue(LimitValue.cpus(0.5));
      assertThat(group.read("cpu.max")).startsWith("10000 20000");
    }
    try (FakeGroup group = FakeGroup.v2(temp).with("cpu.max", "max 10000\n")) {
      FakeGroup.apply(new CpuV2(group.directory, true), period, false);
      assertThat(group.read("cpu.max")).startsWith("max 20000");
    }
    try (FakeGroup group =
        FakeGroup.v1(temp, "cpu")
            .with("cpu.cfs_quota_us", "10000\n")
            .with("cpu.cfs_period_us", "50000\n")) {
      assertThat(FakeGroup.apply(new CpuV1(group.directory), period, false).getFirst().effective())
          .hasValue(LimitValue.cpus(0.5));
      assertThat(group.read("cpu.cfs_quota_us")).isEqualTo("10000\n");
      assertThat(group.read("cpu.cfs_period_us")).isEqualTo("20000\n");
    }
  }

  @Test
  void v1TakesSharesAsTheyAreAndAPeriodWithoutAQuota() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "cpu").files("cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares")) {
      Limits limits = Limits.builder().cpuShares(512).cpuQuota(-1, 50_000).build();
      List<AppliedLimit> rows = FakeGroup.apply(new CpuV1(group.directory), limits, false);
      assertThat(rows.getFirst().effective()).hasValue(LimitValue.UNLIMITED);
      assertThat(rows.getLast().effective()).hasValue(LimitValue.count(512));
      assertThat(group.read("cpu.cfs_quota_us")).isEqualTo("-1");
      assertThat(group.read("cpu.cfs_period_us")).isEqualTo("50000");
      assertThat(group.read("cpu.shares")).isEqualTo("512");
    }
  }

  @Test
  void quotasAndPeriodsThatTheKernelRefusesAreRefusedBefore() {
    assertThatThrownBy(() -> Limits.builder().cpuQuota(999, 100_000)).hasMessageContaining("999");
    assertThatThrownBy(() -> Limits.builder().cpuQuota(-1, 999)).hasMessageContaining("999");
    assertThatThrownBy(() -> Limits.builder().cpuPeriod(1_000_001)).hasMessageContaining("1000001");
    assertThatThrownBy(() -> Limits.builder().cpuShares(-1)).hasMessageContaining("-1");
    assertThat(Limits.builder().cpuQuota(0, 1_000).build().requests().getFirst().text())
        .hasValue("max 1000");
  }

  @Test
  void v1WithoutBandwidthControlIsAnError() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "cpu").files("cpu.shares")) {
      CpuV1 cpu = new CpuV1(group.directory);
      assertThatThrownBy(() -> FakeGroup.apply(cpu, Limits.builder().cpus(1).build(), false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("ENOENT");
    }
  }

  @Test
  void cpuacct() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "cpuacct")
            .with("cpuacct.usage", "30\n")
            .with("cpuacct.stat", "user 2\nsystem 1\n")) {
      CpuacctV1 cpuacct = new CpuacctV1(group.directory);
      assertThat(FakeGroup.usage(cpuacct).cpu().total()).hasValue(Duration.ofNanos(30));
      assertThat(FakeGroup.usage(cpuacct).cpu().user()).hasValue(Duration.ofMillis(20));
      group.with("cpuacct.usage_user", "25\n").with("cpuacct.usage_sys", "5\n");
      assertThat(FakeGroup.usage(cpuacct).cpu().user()).hasValue(Duration.ofNanos(25));
      assertThat(FakeGroup.usage(cpuacct).cpu().system()).hasValue(Duration.ofNanos(5));
    }
  }
}
