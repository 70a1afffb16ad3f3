package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code --mechanism pid-namespace}, as root and as a user whom no namespace but a new one serves.
 */
@HostAndGuest
@Needs(Feature.PID_NAMESPACES)
@Timeout(300)
class PidNamespaceTest {
  /** Leaves its session, its parents end, it ignores what can be ignored. */
  private static final String ESCAPE =
      "(setsid perl -e '$SIG{TERM}=$SIG{HUP}=q(IGNORE); $|=1; print qq(ready\\n); sleep 1000' %s"
          + " > \"$0\" &); while [ ! -s \"$0\" ]; do sleep 0.01; done; ";

  @RegisterExtension final Marked mark = Marked.fresh();
  @TempDir Path folder;

  @Test
  void whoTriesToGetAwayIsGoneWhenRunReturns() throws Exception {
    HoldfastProcess.Ended ended = run(escape() + "exit 3");
    assertThat(ended.status()).as(ended.err()).isEqualTo(3);
    assertThat(mark.alive()).isEmpty();
    JsonNode report = new JsonMapper().readTree(ended.err());
    assertThat(report.get("mechanism").asString()).isEqualTo("pid-namespace");
    assertThat(report.get("cgroup").isNull()).isTrue();
    assertThat(report.at("/cleanup/killedMembers").asInt()).isEqualTo(1);
    assertThat(report.at("/cleanup/removed").asBoolean()).isTrue();
    assertThat(report.at("/cpu/totalSeconds").asDouble()).isPositive();
    assertThat(report.at("/memory/peakBytes").isNull()).as("absent, not 0").isTrue();
  }

  @Test
  void aTimeLimitEndsTheTree() throws Exception {
    HoldfastProcess.Ended ended =
        run(List.of("--timeout", "1s", "--grace", "100ms"), escape() + "sleep 1000");
    assertThat(ended.status()).isEqualTo(124);
    assertThat(mark.alive()).isEmpty();
    assertThat(new JsonMapper().readTree(ended.err()).get("outcome").asString())
        .isEqualTo("timed-out");
  }

  @Test
  void killingTheCommandEndsTheTree() throws Exception {
    List<String> words = new ArrayList<>(List.of("run", "--mechanism", "pid-namespace", "--"));
    words.addAll(List.of("perl", "-e", "fork; sleep 1000", mark.text()));
    Process command =
        HoldfastProcess.start(
            HoldfastProcess.words(HoldfastProcess.parts(), words.toArray(String[]::new)));
    // The command's own words bear the mark, too.
    mark.await(3);
    command.destroyForcibly();
    command.waitFor();
    mark.await(0);
  }

  @Test
  void aMechanismThatIsNoneIsBadUsage() {
    Call bad = Call.of("run", "--mechanism", "namespace", "--", "true");
    assertThat(bad.status()).isEqualTo(125);
    assertThat(bad.err())
        .contains("neither auto, cgroup, pid-namespace, process-group nor process-tree");
  }

  private HoldfastProcess.Ended run(String script) throws Exception {
    return run(List.of(), script);
  }

  private HoldfastProcess.Ended run(List<String> options, String script) throws Exception {
    List<String> words =
        new ArrayList<>(List.of("run", "--mechanism", "pid-namespace", "--report", "json"));
    words.addAll(options);
    words.addAll(List.of("--", "sh", "-c", script, folder.resolve("ready").toString()));
    return HoldfastProcess.run(words.toArray(String[]::new));
  }

  private String escape() {
    return String.format(ESCAPE, mark.text());
  }
}
