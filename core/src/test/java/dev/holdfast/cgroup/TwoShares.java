package dev.holdfast.cgroup;

import java.io.IOException;

/**
 * What two groups have used of the same thing at one moment, as nearly as that can be read: of the
 * first before and after the second, since time passes between two readings, and more of it in a
 * slow guest.
 */
record TwoShares(double first, double second) {
  /** What a group has used by now. */
  @FunctionalInterface
  interface Used {
    double by(Cgroup group) throws IOException;
  }

  static TwoShares of(Cgroup first, Cgroup second, Used used) throws IOException {
    double before = used.by(first);
    double between = used.by(second);
    return new TwoShares((before + used.by(first)) / 2, between);
  }

  /** Of both together. */
  double sum() {
    return first + second;
  }

  /** How much the second has used for each of the first since {@code earlier}. */
  double ratioSince(TwoShares earlier) {
    return (second - earlier.second) / (first - earlier.first);
  }
}
