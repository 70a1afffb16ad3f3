package dev.holdfast.cgroup;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How long tasks were stalled for want of something (PSI). Immutable.
 *
 * @param some at least one of them
 * @param full all of them at the same time
 */
public record PressureStall(Optional<Line> some, Optional<Line> full) {
  /**
   * A line of the file.
   *
   * @param average10 percent of the last 10 seconds
   * @param average60 percent of the last minute
   * @param average300 percent of the last five minutes
   * @param total since the group was made
   */
  public record Line(double average10, double average60, double average300, Duration total) {}

  /**
   * Reads a file:
   *
   * <pre>
   * some avg10=N.NN avg60=N.NN avg300=N.NN total=N
   * full avg10=N.NN avg60=N.NN avg300=N.NN total=N
   * </pre>
   *
   * Empty if there is none, or nothing in it that we know.
   */
  static Optional<PressureStall> parse(@Nullable String text) {
    if (text == null) {
      return Optional.empty();
    }
    Optional<Line> some = line(text, "some ");
    Optional<Line> full = line(text, "full ");
    return some.isEmpty() && full.isEmpty()
        ? Optional.empty()
        : Optional.of(new PressureStall(some, full));
  }

  /** The total of the line that begins with {@code kind}; empty if {@code text} has none. */
  static Optional<Duration> total(@Nullable String text, String kind) {
    String line = lineOf(text, kind);
    return line == null ? Optional.empty() : total(line);
  }

  private static Optional<Duration> total(String line) {
    return Figures.micros(FlatKeyed.number(word(line, "total=")));
  }

  private static Optional<Line> line(String text, String kind) {
    String line = lineOf(text, kind);
    if (line == null) {
      return Optional.empty();
    }
    Optional<Duration> total = total(line);
    double average10 = percent(word(line, "avg10="));
    double average60 = percent(word(line, "avg60="));
    double average300 = percent(word(line, "avg300="));
    return total.isEmpty() || Double.isNaN(average10 + average60 + average300)
        ? Optional.empty()
        : Optional.of(new Line(average10, average60, average300, total.get()));
  }

  private static @Nullable String lineOf(@Nullable String text, String kind) {
    if (text == null) {
      return null;
    }
    int at = 0;
    while (!text.startsWith(kind, at)) {
      at = text.indexOf('\n', at) + 1;
      if (at == 0) {
        return null;
      }
    }
    int end = text.indexOf('\n', at);
    return text.substring(at, end < 0 ? text.length() : end);
  }

  private static @Nullable String word(String line, String name) {
    int at = line.indexOf(' ' + name);
    if (at < 0) {
      return null;
    }
    int begin = at + 1 + name.length();
    int end = line.indexOf(' ', begin);
    return line.substring(begin, end < 0 ? line.length() : end);
  }

  /** {@code N.NN}, from 0.00 to 100.00. */
  private static double percent(@Nullable String text) {
    return text != null && text.matches("[1-9]?[0-9]\\.[0-9]{2}|100\\.00")
        ? Double.parseDouble(text)
        : Double.NaN;
  }
}
