package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Removal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What cannot be removed costs a warning, and neither the report nor the command's status. */
@EveryKernel
@Needs({Feature.ROOT, Feature.CGROUP_V1, Feature.PIDS})
@Timeout(120)
class FailedRemovalTest {
  /** Puts a stranger into the command's v1 group alone; tells where. */
  private static final String OCCUPY =
      """
      path=$(sed -n 's,^[0-9]*:pids:.*\\(/holdfast-.*\\),\\1,p' /proc/self/cgroup)
      mount=$(awk '$3 == "cgroup" && ("," $4 ",") ~ /,pids,/ { print $2; exit }' /proc/mounts)
      group=$(find "$mount" -type d -path "*$path")
      echo "$1" > "$group/cgroup.procs" && echo "$group" > "$0"
      exit 3
      """;

  @TempDir Path folder;

  @Test
  void theStatusStandsAndTheReportIsWritten() throws Exception {
    Marked mark = Marked.fresh();
    Process stranger = new ProcessBuilder("perl", "-e", "sleep 1000", mark.text()).start();
    Path where = folder.resolve("group");
    Path report = folder.resolve("report");
    try {
      HoldfastProcess.Ended ended =
          HoldfastProcess.run(
              "run",
              "--report",
              "json",
              "--report-file",
              report.toString(),
              "--",
              "sh",
              "-c",
              OCCUPY,
              where.toString(),
              Long.toString(stranger.pid()));

      assertThat(ended.status()).as(ended.err()).isEqualTo(3);
      assertThat(ended.err()).matches("holdfast: warning: [^\n]+: [^\n]+ \\([^\n]+\\)\n");
      JsonNode json = new JsonMapper().readTree(Files.readString(report));
      assertThat(json.get("outcome").asString()).isEqualTo("exited");
      assertThat(json.get("exitCode").asInt()).isEqualTo(3);
      assertThat(json.at("/cleanup/removed").asBoolean()).isFalse();
      assertThat(json.at("/cleanup/killedMembers").asInt()).isZero();
      assertThat(mark.alive()).containsExactly(stranger.pid());
    } finally {
      mark.end();
      mark.await(0);
      remove(where);
    }
  }

  private static void remove(Path where) throws IOException {
    Path group = Path.of(Files.readString(where).strip());
    Removal.await(List.of(group, group.getParent()));
  }
}
