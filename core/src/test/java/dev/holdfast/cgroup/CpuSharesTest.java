package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CpuSharesTest {
  @ParameterizedTest
  @CsvSource({
    "0, 1",
    "1, 1",
    "2, 1",
    "3, 2",
    "256, 35",
    "512, 59",
    "1023, 100",
    "1024, 100",
    "1025, 101",
    "2048, 174",
    "4096, 303",
    "262143, 10000",
    "262144, 10000",
    "9223372036854775807, 10000"
  })
  void asRuntimesConvertThem(long shares, long weight) {
    assertThat(CpuShares.weight(shares)).isEqualTo(weight);
  }

  @Test
  void moreSharesAreNeverLessWeight() {
    long before = 1;
    for (long shares = 0; shares <= 300_000; shares++) {
      long weight = CpuShares.weight(shares);
      if (weight < before || weight > 10_000) {
        throw new AssertionError(shares + " shares are " + weight + " after " + before);
      }
      before = weight;
    }
    assertThat(before).isEqualTo(10_000);
  }

  @Test
  void v1BoundsThem() {
    assertThat(CpuShares.bounded(0)).isEqualTo(2);
    assertThat(CpuShares.bounded(1024)).isEqualTo(1024);
    assertThat(CpuShares.bounded(Long.MAX_VALUE)).isEqualTo(262_144);
  }
}
