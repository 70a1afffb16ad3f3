package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.HostAndGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** What process groups cannot hold, the command finds as the reaper of orphans. */
@HostAndGuest
@Timeout(120)
class ProcessGroupTest {
  /** Leaves its session, and its parent ends: a double fork. It keeps none of the streams open. */
  private static final String ESCAPE =
      "(setsid sh -c 'echo $$ > %s; exec sleep 1000' > /dev/null 2>&1 &) ; ";

  @TempDir Path folder;

  @Test
  void whoLeavesItsSessionIsFound() throws Exception {
    HoldfastProcess.Ended ended =
        HoldfastProcess.run(
            "run",
            "--mechanism",
            "process-group",
            "--report",
            "json",
            "--",
            "sh",
            "-c",
            escape() + "while [ ! -s " + file() + " ]; do sleep 0.01; done");
    assertThat(ended.status()).as(ended.err()).isZero();
    assertThat(ended.err()).contains("\"killedMembers\":1,\"removed\":true");
    assertThat(new JsonMapper().readTree(ended.err()).get("caveat").asString())
        .contains("has escaped")
        .contains("nothing is limited");
    assertThat(isAlive(pid())).isFalse();
  }

  @Test
  void withoutUsItLives() throws Exception {
    Process control = new ProcessBuilder("sh", "-c", escape()).start();
    control.waitFor();
    await().atMost(Duration.ofSeconds(20)).until(() -> Files.exists(file()) && pid() > 0);
    assertThat(isAlive(pid())).isTrue();
    ProcessHandle.of(pid()).orElseThrow().destroyForcibly();
  }

  private Path file() {
    return folder.resolve("escaped");
  }

  private String escape() {
    return String.format(ESCAPE, file());
  }

  private long pid() throws IOException {
    List<String> lines = Files.readAllLines(file());
    return lines.isEmpty() ? 0 : Long.parseLong(lines.getFirst());
  }

  private static boolean isAlive(long pid) {
    try {
      String text = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      return text.charAt(text.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException gone) {
      return false;
    }
  }
}
