package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.LimitValue;
import dev.holdfast.cgroup.Limits;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConversionsTest {
  private static final int ROUNDS = 20_000;

  @ParameterizedTest
  @CsvSource({
    // memory, memory and swap, swap alone
    "0, 0, ",
    "64, 0, ",
    "-1, 0, -1",
    "0, -1, -1",
    "64, -1, -1",
    "-1, -1, -1",
    "64, 64, 0",
    "64, 65, 1",
    "1, 9223372036854775807, 9223372036854775806",
    "9223372036854775807, 9223372036854775807, 0"
  })
  void swapAlone(long memory, long together, Long alone) {
    assertThat(SwapLimit.alone(memory, together))
        .isEqualTo(alone == null ? OptionalLong.empty() : OptionalLong.of(alone));
  }

  @ParameterizedTest
  @CsvSource({"0, 64", "-1, 64", "65, 64", "-2, 0", "-2, -1", "64, -2", "0, -2"})
  void swapWithoutMeaning(long memory, long together) {
    assertThatThrownBy(() -> SwapLimit.alone(memory, together))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void swapAndMemoryTogetherAreWhatWasAskedFor() {
    Random random = seeded();
    for (int round = 0; round < ROUNDS; round++) {
      long memory = 1 + (random.nextLong() >>> (1 + random.nextInt(62)));
      long together = random.nextLong() >>> (1 + random.nextInt(62));
      try {
        OptionalLong alone = SwapLimit.alone(memory, together);
        assertThat(alone.isPresent()).isEqualTo(together != 0);
        assertThat(together == 0 ? 0 : memory + alone.getAsLong()).isEqualTo(together);
        assertThat(alone.orElse(0)).isNotNegative();
      } catch (IllegalArgumentException refused) {
        assertThat(together).isLessThan(memory);
      }
    }
  }

  /** Whatever numbers a document has: what comes of them is in the kernel's bounds, or an error. */
  @Test
  void limitsAreInTheKernelsBounds() throws Exception {
    Random random = seeded();
    int taken = 0;
    for (int round = 0; round < ROUNDS / 4; round++) {
      String json =
          Documents.resources(
              "\"memory\":{\"limit\":%d,\"swap\":%d,\"reservation\":%d},\"pids\":{\"limit\":%d},"
                      .formatted(size(random), size(random), size(random), any(random) >> 40)
                  + "\"cpu\":{\"shares\":%d,\"quota\":%d,\"period\":%d}"
                      .formatted(
                          any(random) & Long.MAX_VALUE, any(random), random.nextInt(1_000_001)));
      try {
        for (Limits.Request request : OciSpec.parse(json).limits().requests()) {
          check(request);
        }
        taken++;
      } catch (HoldfastException refused) {
        assertThat(refused.what()).startsWith("linux.resources.");
      }
    }
    assertThat(taken).isBetween(ROUNDS / 100, ROUNDS / 4 - 1);
  }

  private static void check(Limits.Request request) {
    LimitValue value = request.value();
    if (value instanceof LimitValue.Count(long count)) {
      assertThat(count).isGreaterThanOrEqualTo(request.kind() == LimitKind.SWAP ? 0 : 1);
    } else if (value instanceof LimitValue.Bandwidth(long quota, long period)) {
      assertThat(quota)
          .matches(micros ->
              micros >= 1000 || micros == -1 || micros == LimitValue.Bandwidth.SAME_QUOTA);
      assertThat(period).isBetween(1000L, 1_000_000L);
    } else if (value instanceof LimitValue.Shares(long shares)) {
      assertThat(shares).isPositive();
    } else {
      assertThat(value).isEqualTo(LimitValue.UNLIMITED);
    }
  }

  private static long any(Random random) {
    return random.nextLong() >> random.nextInt(64);
  }

  private static long size(Random random) {
    return Math.max(-1, any(random));
  }

  private static Random seeded() {
    long seed = Long.getLong("holdfast.seed", System.nanoTime());
    System.out.println("ConversionsTest: -Dholdfast.seed=" + seed);
    return new Random(seed);
  }
}
