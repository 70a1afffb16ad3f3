package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A process of its own is told to stop, or gets arguments that Java does not understand. */
@HostAndGuest
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SignalTest {
  @TempDir Path folder;

  private Process start(String shell, String... options) throws IOException {
    List<String> words = new ArrayList<>(List.of("run"));
    words.addAll(List.of(options));
    words.addAll(List.of("--", "sh", "-c", shell));
    return HoldfastProcess.start(
        HoldfastProcess.words(HoldfastProcess.parts(), words.toArray(String[]::new)));
  }

  private Path awaitFile(String name) {
    Path file = folder.resolve(name);
    await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(file) && Files.size(file) > 0);
    return file;
  }

  @ParameterizedTest
  @CsvSource({"TERM, 143", "INT, 130", "HUP, 129"})
  void theJobGetsTheSignalAndWeSaySo(String signal, int status) throws Exception {
    Process process =
        start(
            "trap 'echo told > "
                + folder
                + "/told; exit 5' "
                + signal
                + "; echo $$ > "
                + folder
                + "/pid; while :; do sleep 0.05; done");
    awaitFile("pid");

    Tool.run("kill", "-" + signal, Long.toString(process.pid()));

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(status);
    assertThat(folder.resolve("told")).exists();
  }

  @Test
  void whatDoesNotListenIsKilledAfterTheGrace() throws Exception {
    Process process =
        start(
            "trap '' TERM; echo $$ > " + folder + "/pid; sleep 300 & sleep 300",
            "--grace",
            "200ms",
            "--report",
            "json",
            "--report-file",
            folder + "/report");
    String pid = Files.readString(awaitFile("pid")).strip();

    process.destroy();

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(143);
    assertThat(Path.of("/proc", pid)).doesNotExist();
    assertThat(Files.readString(folder.resolve("report"))).contains("\"outcome\":\"cancelled\"");
  }
}
