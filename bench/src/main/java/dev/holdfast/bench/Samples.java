package dev.holdfast.bench;

import java.util.Arrays;

/** What one candidate measured. */
final class Samples {
  private final double[] sorted;

  Samples(double[] values) {
    this.sorted = values.clone();
    Arrays.sort(sorted);
  }

  double median() {
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /**
   * One of ten is at least as good as this: what the work comes to when nobody else is in the way.
   */
  double better(Unit unit) {
    int first = (int) Math.ceil(sorted.length * 0.1) - 1;
    return sorted[unit.lessIsBetter() ? first : sorted.length - 1 - first];
  }

  /** Nine of ten are at least as good as this. */
  double worse(Unit unit) {
    int ninth = (int) Math.ceil(sorted.length * 0.9) - 1;
    return sorted[unit.lessIsBetter() ? ninth : sorted.length - 1 - ninth];
  }
}
