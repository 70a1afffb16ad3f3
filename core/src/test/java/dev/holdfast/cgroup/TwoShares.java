package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;

/**
 * What two groups have used of the same thing at one moment, as nearly as that can be read: of the
 * first before and after the second, since time passes between two readings, and more of it in a
 * slow guest.
 */
record TwoShares(double first, double second) {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  /** What a group has used by now. */
  @FunctionalInterface
  interface Used {
    double by(Cgroup group) throws IOException;
  }

  private static TwoShares of(Cgroup first, Cgroup second, Used used) throws IOException {
    double before = used.by(first);
    double between = used.by(second);
    return new TwoShares((before + used.by(first)) / 2, between);
  }

  /**
   * Waits until the second has used {@code ratio} for each of the first, to within 15 %, since both
   * had used {@code begin}. What the host takes from a guest is counted for whom it befalls there:
   * in a short time that may be one of the two, in a long time it is both.
   *
   * @param enough of both together, before which nothing is sure
   */
  static void awaitRatio(
      Cgroup first, Cgroup second, Used used, double begin, double enough, double ratio)
      throws IOException {
    await().atMost(PATIENCE).until(() -> used.by(first) > begin && used.by(second) > begin);
    TwoShares before = of(first, second, used);
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> {
          TwoShares now = of(first, second, used);
          assertThat(now.sum()).isGreaterThan(before.sum() + enough);
          assertThat(now.ratioSince(before)).isCloseTo(ratio, withinPercentage(15));
        });
  }

  /** Of both together. */
  private double sum() {
    return first + second;
  }

  /** How much the second has used for each of the first since {@code earlier}. */
  private double ratioSince(TwoShares earlier) {
    return (second - earlier.second) / (first - earlier.first);
  }
}
