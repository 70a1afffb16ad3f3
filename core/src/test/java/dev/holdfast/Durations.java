package dev.holdfast;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** How long it took each time, for a report. */
final class Durations {
  private final List<Duration> all = new ArrayList<>();

  void add(Duration one) {
    all.add(one);
  }

  @Override
  public String toString() {
    List<Duration> sorted = all.stream().sorted().toList();
    return "%d times, median %d ms, longest %d ms"
        .formatted(
            sorted.size(), sorted.get(sorted.size() / 2).toMillis(), sorted.getLast().toMillis());
  }
}
