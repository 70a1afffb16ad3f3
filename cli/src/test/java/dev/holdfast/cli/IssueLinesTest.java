package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Limits of a whole process, by the figures that it was built to keep. */
@EveryKernel
@Timeout(300)
class IssueLinesTest {
  private static final boolean HOST = !Place.isGuest();

  /** A small task of the host's, which takes milliseconds on it. */
  private static final Duration RESPONSIVE = Duration.ofSeconds(HOST ? 1 : 5);

  /** A budget that the time from a look to the signal is small beside, as slow as that is there. */
  private static final int CPU_SECONDS = Place.isEmulated() ? 3 : 1;

  @TempDir Path folder;
  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  @Needs(Feature.PIDS)
  void aForkBombIsHeldAndTheHostAnswers() throws Exception {
    Process process =
        start("--pids", "8", "--timeout", "3s", "--", "perl", "-e", "fork while 1", mark.text());
    Duration slowest = Duration.ZERO;
    int most = 0;
    while (process.isAlive()) {
      long begin = System.nanoTime();
      assertThat(new ProcessBuilder("true").start().waitFor()).isZero();
      Duration time = Duration.ofNanos(System.nanoTime() - begin);
      slowest = slowest.compareTo(time) > 0 ? slowest : time;
      most = Math.max(most, mark.alive().size());
    }
    JsonNode report = report(process, 124);
    assertThat(report.get("outcome").asString()).isEqualTo("timed-out");
    assertThat(report.at("/pids/rejected").asLong()).isPositive();
    // Our own JVM has the mark in its arguments too.
    assertThat(most).as("seen at once").isBetween(2, 8 + 1);
    assertThat(slowest).as("the slowest of the host's own tasks").isLessThan(RESPONSIVE);
    assertThat(mark.alive()).isEmpty();
    assertThat(directoriesOf(report)).isEmpty();
  }

  @Test
  @Needs(Feature.CPU)
  void aBusyLoopIsThrottled() throws Exception {
    JsonNode report =
        report(
            start("--cpus", "0.2", "--timeout", "2s", "--", "perl", "-e", "1 while 1", mark.text()),
            124);
    // At most 0.55 s, where it is ended as soon as the two seconds are over.
    double wall = report.get("wallSeconds").asDouble();
    assertThat(report.at("/cpu/totalSeconds").asDouble()).isBetween(0.3, 0.55 / 2 * wall);
    assertThat(report.at("/cpu/throttledSeconds").asDouble()).isPositive();
  }

  @Test
  @Needs({Feature.ROOT, Feature.CPU})
  void twoBusyLoopsUseUpTheirCpuTime() throws Exception {
    JsonNode report =
        report(
            start(
                "--cpu-time",
                CPU_SECONDS + "s",
                "--",
                "sh",
                "-c",
                "perl -e '1 while 1' $0 & exec perl -e '1 while 1' $0",
                mark.text()),
            124);
    assertThat(report.get("outcome").asString()).isEqualTo("cpu-time-exceeded");
    assertThat(report.at("/cpu/totalSeconds").asDouble())
        .isBetween(CPU_SECONDS * 1.0, CPU_SECONDS * 1.3);
  }

  @Test
  void whoDoesNotListenIsGoneInTime() throws Exception {
    long begin = System.nanoTime();
    JsonNode report =
        report(
            start(
                "--timeout",
                "1s",
                "--",
                "sh",
                "-c",
                "trap '' TERM; perl -e 'sleep 100' $0 & perl -e 'sleep 100' $0",
                mark.text()),
            124);
    double whole = (System.nanoTime() - begin) / 1e9;
    // The timeout, then the grace that it is given; and what our own process needs there to act
    // twice.
    assertThat(report.get("wallSeconds").asDouble())
        .isBetween(1 + 2 - 0.01, 1 + 2 + RESPONSIVE.toMillis() / 1e3);
    // In a guest most of it is the start of the JVM, before the time begins to run.
    assertThat(whole).isBetween(1.0, HOST ? 4.0 : 100.0);
    assertThat(report.at("/cleanup/killedMembers").asInt()).isEqualTo(3);
    assertThat(mark.alive()).isEmpty();
    assertThat(directoriesOf(report)).isEmpty();
  }

  /** Forks, leads a session, forks again and does not listen; the first process ends at once. */
  @Test
  @Needs(Feature.PIDS)
  void aDaemonIsGoneWhenTheRunIs() throws Exception {
    Process process =
        start(
            "--pids",
            "8",
            "--",
            "perl",
            "-e",
            "use POSIX; pipe(R, W); if (fork) { close W; <R>; exit }"
                + " POSIX::setsid(); exit 0 if fork; $SIG{TERM} = $SIG{HUP} = 'IGNORE';"
                + " system(\"find /sys/fs/cgroup -path '*/holdfast-*/job-*' >\" . $ARGV[1]);"
                + " close W; sleep 1000",
            mark.text(),
            folder.resolve("seen").toString());
    JsonNode report = report(process, 0);
    assertThat(report.at("/cleanup/killedMembers").asInt()).isEqualTo(1);
    assertThat(mark.alive()).isEmpty();
    assertThat(directoriesOf(report)).isEmpty();
    // The control: while it ran they were there.
    for (JsonNode path : report.get("cgroup")) {
      assertThat(Files.readString(folder.resolve("seen"))).contains(tail(path));
    }
  }

  /** Those of its job that are in any hierarchy. */
  private static List<String> directoriesOf(JsonNode report) throws IOException {
    List<String> found = new ArrayList<>();
    assertThat(report.get("cgroup")).isNotEmpty();
    for (JsonNode path : report.get("cgroup")) {
      Process find =
          new ProcessBuilder("find", "/sys/fs/cgroup", "-path", "*" + tail(path))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (var lines = find.inputReader().lines()) {
        lines.forEach(found::add);
      }
    }
    return found;
  }

  /** As it is below any mount: from the anchor on. */
  private static String tail(JsonNode path) {
    return path.asString().substring(path.asString().indexOf("/holdfast-"));
  }

  private Process start(String... arguments) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "run", "--report", "json", "--report-file", folder.resolve("report").toString()));
    all.addAll(List.of(arguments));
    return HoldfastProcess.start(
        HoldfastProcess.words(HoldfastProcess.parts(), all.toArray(String[]::new)));
  }

  private JsonNode report(Process process, int status) throws Exception {
    HoldfastProcess.Ended ended = HoldfastProcess.await(process);
    assertThat(ended.status()).as(ended.err()).isEqualTo(status);
    return new JsonMapper().readTree(Files.readString(folder.resolve("report")));
  }
}
