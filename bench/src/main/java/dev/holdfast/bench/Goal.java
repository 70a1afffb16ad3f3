package dev.holdfast.bench;

import java.util.Locale;

/**
 * What a candidate shall reach: {@code factor} times the reference, or the plain number where
 * {@code reference} is empty.
 *
 * @param candidate whose figure counts
 * @param reference whose figure it is held against
 */
record Goal(String candidate, String reference, double factor) {
  boolean isMet(Unit unit, double value, double referenceValue) {
    double bound = reference.isEmpty() ? factor : factor * referenceValue;
    return unit.lessIsBetter() ? value <= bound : value >= bound;
  }

  String text(Unit unit) {
    return (unit.lessIsBetter() ? "<= " : ">= ")
        + (reference.isEmpty()
            ? String.format(Locale.ROOT, "%.0f", factor)
            : String.format(Locale.ROOT, "%.2f x", factor));
  }
}
