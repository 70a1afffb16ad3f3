package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversions hold for any number: monotone, within the kernel's bounds, never written empty. */
class QuotaPropertiesTest {
  private static final int ROUNDS = 20_000;
  private static final String LIMIT = "memory.limit_in_bytes";
  private static final String MEMSW = "memory.memsw.limit_in_bytes";

  @TempDir Path temp;
  private final Damage damage = new Damage(getClass());
  private final Random random = damage.random;

  /** From 0.001 to a million, each magnitude as often as any other. */
  private double cpus() {
    return Math.pow(10, random.nextDouble() * 9 - 3);
  }

  @Test
  void quotasAreWithinTheKernelsBoundsAndCloseToWhatWasAskedFor() {
    for (int round = 0; round < ROUNDS; round++) {
      double cpus = cpus();
      CpuQuota quota = CpuQuota.of(cpus);
      assertThat(quota.quota()).isGreaterThanOrEqualTo(1_000);
      assertThat(quota.period()).isBetween(1_000L, 1_000_000L);
      double given = (double) quota.quota() / quota.period();
      assertThat(given).isCloseTo(cpus, within(cpus * 0.001));
      assertThat(CpuQuota.parse(quota.text() + "\n")).isEqualTo(quota.value());
    }
  }

  @Test
  void moreCpusAreNeverLess() {
    for (int round = 0; round < ROUNDS; round++) {
      double less = cpus();
      double more = round % 2 == 0 ? cpus() : Math.nextUp(less + random.nextDouble() * less / 1000);
      if (less > more) {
        double swapped = less;
        less = more;
        more = swapped;
      }
      CpuQuota one = CpuQuota.of(less);
      CpuQuota other = CpuQuota.of(more);
      assertThat(one.quota() * other.period())
          .as("%s and %s CPUs", less, more)
          .isLessThanOrEqualTo(other.quota() * one.period());
    }
  }

  /** Another way to the same: so it does not hang on the last bit of a logarithm. */
  @Test
  void sharesAreTheSameByAnotherLibrarysLogarithm() {
    for (int shares = 3; shares < 262_144; shares++) {
      double log = Math.log10(shares) / Math.log10(2);
      double exponent = (log * log + 125 * log) / 612 - 7.0 / 34;
      double weight = Math.exp(exponent * Math.log(10));
      long near = Math.round(weight);
      long expected = Math.abs(weight - near) < 1e-9 ? near : (long) Math.ceil(weight);
      if (CpuShares.weight(shares) != expected) {
        throw new AssertionError(shares + " shares: " + CpuShares.weight(shares));
      }
    }
  }

  @Test
  void weightsAreWithinTheBoundsOfShares() {
    long before = 0;
    for (long weight = 1; weight <= 10_000; weight++) {
      long shares = CpuV1.shares(weight);
      assertThat(shares).isGreaterThan(before).isBetween(2L, 262_144L);
      before = shares;
    }
  }

  /** Of v1's unit as v2 has it: a straight line, whose ends are those of the other one. */
  @Test
  void weightsOfBlockDevicesKeepTheirOrder() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp)) {
      IoV2 io = new IoV2(group.directory, /* limiting= */ true, temp);
      long before = 0;
      for (long weight = 10; weight <= 1000; weight++) {
        group.files("io.weight");
        Limits limits = Limits.builder().blkioWeight(weight).build();
        AppliedLimit row = FakeGroup.apply(io, limits, false).getFirst();
        long written = Long.parseLong(group.read("io.weight"));
        assertThat(row.effective()).hasValue(LimitValue.count(written));
        assertThat(written).isGreaterThan(before).isBetween(1L, 10_000L);
        double line = 1 + (weight - 10) * 9999.0 / 990;
        assertThat(written).isBetween((long) Math.ceil(line - 1), (long) line);
        before = written;

        String device = random.nextInt(4096) + ":" + random.nextInt(1 << 20);
        group.files("io.weight");
        FakeGroup.apply(io, Limits.builder().blkioWeight(device, weight).build(), false);
        assertThat(group.read("io.weight")).isEqualTo(device + " " + written);
      }
      assertThat(before).isEqualTo(10_000);
    }
    for (long beyond : List.of(Long.MIN_VALUE, -1L, 0L, 9L, 1001L, Long.MAX_VALUE)) {
      assertThatThrownBy(() -> Limits.builder().blkioWeight(beyond))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  /** As the kernel rounds; no limit is only what it takes for none, the greatest whole number. */
  @Test
  void hugePagesAreNeverMoreThanWhatWasAskedFor() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp)) {
      for (int round = 0; round < ROUNDS / 20; round++) {
        long kilobytes = 1L << (4 + random.nextInt(21));
        HugePages.Size size = new HugePages.Size(HugePages.name(kilobytes), kilobytes << 10);
        Hugetlb hugetlb = new Hugetlb(group.directory, /* unified= */ true, List.of(size));
        long less = bytes(size);
        long more = random.nextBoolean() ? bytes(size) : less + random.nextLong(size.bytes() * 2);
        if (less > more) { // also after a sum that no number holds
          long swapped = less;
          less = Math.max(more, 0);
          more = swapped;
        }
        long one = hugePages(group, hugetlb, size, less);
        long other = hugePages(group, hugetlb, size, more);
        assertThat(one).as("%s and %s of %s", less, more, size).isLessThanOrEqualTo(other);
      }
    }
  }

  private long bytes(HugePages.Size size) {
    return switch (random.nextInt(4)) {
      case 0 -> Long.MAX_VALUE - random.nextLong(size.bytes() * 4);
      case 1 -> size.bytes() * random.nextLong(100) + random.nextLong(3);
      default -> size();
    };
  }

  /** What is written to both files, {@link Long#MAX_VALUE} for no limit. */
  private static long hugePages(FakeGroup group, Hugetlb hugetlb, HugePages.Size size, long bytes)
      throws Exception {
    String used = "hugetlb." + size.name() + ".max";
    String reserved = "hugetlb." + size.name() + ".rsvd.max";
    group.files(used, reserved);
    Limits limits = Limits.builder().hugetlb(size.name(), bytes).build();
    assertThat(FakeGroup.apply(hugetlb, limits, false)).allMatch(AppliedLimit::isEnforced);
    String written = group.read(used);
    assertThat(group.read(reserved)).isEqualTo(written);
    if (written.equals("max")) {
      assertThat(bytes).isGreaterThan(Long.MAX_VALUE - size.bytes());
      return Long.MAX_VALUE;
    }
    long whole = Long.parseLong(written);
    assertThat(whole % size.bytes()).isZero();
    assertThat(bytes - whole).isBetween(0L, size.bytes() - 1);
    return whole;
  }

  @Test
  void memoryAndSwapTogetherOnV1() throws Exception {
    try (FakeGroup group = FakeGroup.v1(temp, "memory")) {
      for (int round = 0; round < ROUNDS / 10; round++) {
        Files.writeString(temp.resolve(LIMIT), "");
        Files.writeString(temp.resolve(MEMSW), "");
        long memory = size();
        long swap = random.nextInt(4) == 0 ? 0 : size();
        Limits limits = Limits.builder().memory(memory).swap(swap).build();
        List<AppliedLimit> rows = FakeGroup.apply(new MemoryV1(group.branch), limits, true);
        long alone = Long.parseLong(group.read(LIMIT));
        long both = Long.parseLong(group.read(MEMSW));
        assertThat(alone == -1 ? Long.MAX_VALUE : alone).isPositive();
        assertThat(alone).isIn(-1L, memory);
        // The kernel refuses less for both than for memory alone.
        assertThat(both == -1 ? Long.MAX_VALUE : both).isGreaterThanOrEqualTo(alone);
        if (both != -1) {
          assertThat(both - alone).isEqualTo(swap);
          assertThat(rows).allMatch(AppliedLimit::isEnforced);
          assertThat(rows.get(1).effective()).hasValue(LimitValue.count(swap));
        }
      }
    }
  }

  private long size() {
    return Math.max(1, random.nextLong() >>> (1 + random.nextInt(62)));
  }

  @Test
  void memoryAndSwapTogetherAreTheirSum() {
    for (int round = 0; round < ROUNDS; round++) {
      long memory = size();
      long together = size();
      if (together < memory) {
        assertThatThrownBy(() -> Limits.builder().memoryAndSwap(memory, together))
            .isInstanceOf(IllegalArgumentException.class);
        continue;
      }
      Limits limits = Limits.builder().memoryAndSwap(memory, together).build();
      assertThat(limits.get(LimitKind.MEMORY).orElseThrow().value())
          .isEqualTo(LimitValue.count(memory));
      assertThat(limits.get(LimitKind.SWAP).orElseThrow().value())
          .isEqualTo(LimitValue.count(together - memory));
    }
  }
}
