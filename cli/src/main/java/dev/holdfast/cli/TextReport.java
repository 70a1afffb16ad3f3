package dev.holdfast.cli;

import dev.holdfast.Child;
import dev.holdfast.Cleanup;
import dev.holdfast.Result;
import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.Usage;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** The report for people. What is not known is left out. */
final class TextReport {
  private static final String UNKNOWN = "not known";

  private final StringBuilder text = new StringBuilder();

  private TextReport() {}

  static String of(Result result) {
    TextReport report = new TextReport();
    report.write(result);
    return report.text.toString();
  }

  private void write(Result result) {
    line("job", result.name() + ", " + result.mechanism().text());
    result.mechanism().caveat().ifPresent(caveat -> line("caveat", caveat));
    for (Map.Entry<String, String> path : result.cgroupPaths().entrySet()) {
      line("cgroup", path.getKey() + " " + path.getValue());
    }
    line("command", String.join(" ", result.command()));
    line("outcome", outcome(result) + " after " + seconds(result.wall()));
    Usage usage = result.usage();
    line(
        "cpu",
        time(usage.cpu().total(), "in all")
            + time(usage.cpu().user(), "user")
            + time(usage.cpu().system(), "system")
            + time(usage.cpu().throttled(), "throttled")
            + count(usage.cpu().throttledPeriods(), "throttled periods"));
    line(
        "memory",
        bytes(usage.memory().peak(), "at most") + count(usage.memory().oomKills(), "OOM kills"));
    line(
        "tasks",
        count(usage.pids().peak(), "at most") + count(usage.pids().rejected(), "forks rejected"));
    line("io", bytes(usage.io().readBytes(), "read") + bytes(usage.io().writeBytes(), "written"));
    line(
        "waited",
        time(usage.pressure().cpuSome(), "for CPU")
            + time(usage.pressure().memorySome(), "for memory")
            + time(usage.pressure().ioSome(), "for IO"));
    for (AppliedLimit limit : result.limits()) {
      line(
          "limit",
          limit.isEnforced()
              ? limit(limit) + ", " + evidence(result.evidence(limit))
              : limit(limit));
    }
    line("cleanup", cleanup(result.cleanup()));
  }

  /** One line; {@code value} may end in the comma of a list. */
  private void line(String name, String value) {
    String shown = value.endsWith(", ") ? value.substring(0, value.length() - 2) : value;
    text.append("holdfast: ")
        .append(name)
        .repeat(' ', 9 - name.length())
        .append(Complaint.oneLine(shown.isEmpty() ? UNKNOWN : shown))
        .append('\n');
  }

  private static String outcome(Result result) {
    Child.Exit exit = result.exit().orElse(null);
    if (exit == null) {
      return result.outcome().text();
    }
    String how =
        exit.signal().isPresent() ? exit.signal().get().toString() : "exit code " + exit.code();
    return result.outcome().text() + " (" + how + ")";
  }

  static String limit(AppliedLimit limit) {
    StringBuilder line = new StringBuilder(limit.kind().optionName());
    line.append(' ').append(limit.requested().orElse("(implied)")).append(": ");
    line.append(JsonReport.word(limit.status()));
    limit.effective().ifPresent(value -> line.append(", ").append(value));
    limit.by().ifPresent(by -> line.append(limit.isEnforced() ? " in " : ", instead ").append(by));
    limit.reason().ifPresent(reason -> line.append(", ").append(reason));
    return line.toString();
  }

  private static String evidence(AppliedLimit.Evidence evidence) {
    return switch (evidence) {
      case TRIPPED -> "reached";
      case NOT_TRIPPED -> "not reached";
      case UNKNOWN -> "not known whether it was reached";
    };
  }

  private static String cleanup(Cleanup cleanup) {
    return cleanup.killedMembers()
        + " killed, "
        + (cleanup.removed() ? "nothing left" : "NOT everything is gone")
        + ", "
        + seconds(cleanup.time());
  }

  private static String time(Optional<Duration> value, String what) {
    return value.isEmpty() ? "" : seconds(value.get()) + " " + what + ", ";
  }

  private static String count(OptionalLong value, String what) {
    return value.isEmpty() ? "" : value.getAsLong() + " " + what + ", ";
  }

  private static String bytes(OptionalLong value, String what) {
    return value.isEmpty() ? "" : size(value.getAsLong()) + " " + what + ", ";
  }

  private static String seconds(Duration value) {
    return decimal(value.plusNanos(500_000).toMillis(), 3) + " s";
  }

  /** Not String.format: it brings all the locales' data along. */
  private static String decimal(long value, int digits) {
    return BigDecimal.valueOf(value, digits).toPlainString();
  }

  static String size(long bytes) {
    String[] units = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) {
      return bytes + " B";
    }
    int unit = 0;
    long scale = 1024;
    while (bytes / scale >= 1024 && unit + 1 < units.length) {
      scale *= 1024;
      unit++;
    }
    return decimal(Math.round(bytes * 10.0 / scale), 1) + " " + units[unit];
  }
}
