package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Collects a {@link Usage}, each controller its part. Not thread-safe. */
final class Figures {
  private final List<SnapshotFiles> files;

  /** For a snapshot of {@code files}, which has begun. */
  Figures(List<SnapshotFiles> files) {
    this.files = files;
  }

  /** The file's content; null where it is not there. */
  @Nullable String read(Directory group, String file) throws IOException {
    for (SnapshotFiles candidate : files) {
      if (candidate.areOf(group)) {
        return candidate.text(file);
      }
    }
    return group.readIfPresent(file);
  }

  Optional<Duration> cpuTotal = Optional.empty();
  Optional<Duration> cpuUser = Optional.empty();
  Optional<Duration> cpuSystem = Optional.empty();
  Optional<Duration> throttled = Optional.empty();
  OptionalLong throttledPeriods = OptionalLong.empty();
  OptionalLong memoryCurrent = OptionalLong.empty();
  OptionalLong memoryPeak = OptionalLong.empty();
  OptionalLong oomKills = OptionalLong.empty();
  OptionalLong pidsCurrent = OptionalLong.empty();
  OptionalLong pidsPeak = OptionalLong.empty();
  OptionalLong pidsRejected = OptionalLong.empty();
  OptionalLong readBytes = OptionalLong.empty();
  OptionalLong writeBytes = OptionalLong.empty();
  Optional<Duration> cpuSome = Optional.empty();
  Optional<Duration> memorySome = Optional.empty();
  Optional<Duration> ioSome = Optional.empty();
  OptionalLong memoryMaxTrips = OptionalLong.empty();
  OptionalLong memoryHighTrips = OptionalLong.empty();
  OptionalLong memoryLowTrips = OptionalLong.empty();
  OptionalLong swapMaxTrips = OptionalLong.empty();
  Map<String, Long> hugetlbTrips = Map.of();
  Map<String, Long> miscTrips = Map.of();

  static Optional<Duration> micros(OptionalLong micros) {
    return times(micros, 1000);
  }

  static Optional<Duration> nanos(OptionalLong nanos) {
    return times(nanos, 1);
  }

  /** Absent, too, if it is no time: below 0, or beyond 292 years. */
  static Optional<Duration> times(OptionalLong count, long nanosEach) {
    long number = count.orElse(-1);
    return number < 0 || number > Long.MAX_VALUE / nanosEach
        ? Optional.empty()
        : Optional.of(Duration.ofNanos(number * nanosEach));
  }

  /** Absent, too, if no number holds it. */
  static OptionalLong sum(OptionalLong one, long other) {
    return one.isEmpty() || one.getAsLong() > Long.MAX_VALUE - other
        ? OptionalLong.empty()
        : OptionalLong.of(one.getAsLong() + other);
  }

  Usage usage() {
    return new Usage(
        new Usage.Cpu(cpuTotal, cpuUser, cpuSystem, throttled, throttledPeriods),
        new Usage.Memory(memoryCurrent, memoryPeak, oomKills),
        new Usage.Pids(pidsCurrent, pidsPeak, pidsRejected),
        new Usage.Io(readBytes, writeBytes),
        new Usage.Pressure(cpuSome, memorySome, ioSome),
        new Usage.Trips(
            memoryMaxTrips,
            memoryHighTrips,
            memoryLowTrips,
            swapMaxTrips,
            hugetlbTrips,
            miscTrips));
  }
}
