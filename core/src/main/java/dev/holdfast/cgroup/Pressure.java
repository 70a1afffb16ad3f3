package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Pressure stall information; every v2 group has it unless the kernel was booted without. */
final class Pressure implements Controller {
  private final Directory group;

  Pressure(Directory group) {
    this.group = group;
  }

  @Override
  public void usage(Figures figures) throws IOException {
    figures.cpuSome = some(figures.read(group, "cpu.pressure"));
    figures.memorySome = some(figures.read(group, "memory.pressure"));
    figures.ioSome = some(figures.read(group, "io.pressure"));
  }

  /**
   * The total of the first line, in microseconds:
   *
   * <pre>
   * some avg10=N avg60=N avg300=N total=N
   * full avg10=N avg60=N avg300=N total=N
   * </pre>
   */
  static Optional<Duration> some(@Nullable String text) {
    if (text == null || !text.startsWith("some ")) {
      return Optional.empty();
    }
    String line = text.lines().findFirst().orElse("");
    int at = line.indexOf(" total=");
    return at < 0
        ? Optional.empty()
        : Figures.micros(FlatKeyed.number(line.substring(at + " total=".length())));
  }
}
