package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.HostAndGuest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command where the JDK alone knows of processes: by request, as Linux has better. */
@HostAndGuest
@Timeout(120)
class ProcessTreeTest {
  @Test
  void theReportIsMarked() throws Exception {
    HoldfastProcess.Ended ended = run("--report", "json", "--", "sh", "-c", "echo hello; exit 3");
    assertThat(ended.status()).isEqualTo(3);
    assertThat(ended.out()).isEqualTo("hello");
    JsonNode report = new JsonMapper().readTree(ended.err());
    assertThat(report.get("mechanism").asString()).isEqualTo("process-tree");
    assertThat(report.get("caveat").asString()).contains("has escaped").contains("limited");
    assertThat(report.get("cgroup").isNull()).isTrue();
    assertThat(report.get("exitCode").asInt()).isEqualTo(3);
    assertThat(report.at("/cpu/totalSeconds").isNull()).isTrue();
    assertThat(run("--report", "text", "--", "true").err()).contains("holdfast: caveat   a member");
  }

  @Test
  void statusesAreThoseOfTheContract() throws Exception {
    assertThat(run("--timeout", "200ms", "--", "sleep", "100").status()).isEqualTo(124);
    assertThat(run("--", "sh", "-c", "kill -9 $$").status()).isEqualTo(137);
    assertThat(run("--", "no-such-program").status()).isEqualTo(127);
    assertThat(run("--", "/etc/passwd").status()).isEqualTo(126);
    HoldfastProcess.Ended limited = run("--memory", "64M", "--", "true");
    assertThat(limited.status()).isEqualTo(125);
    assertThat(limited.err())
        .isEqualTo(
            "holdfast: cannot limit memory with process-tree: process-tree was asked for"
                + " (ask for --mechanism auto)\n");
    assertThat(run("--user", "1:1", "--", "true").status()).isEqualTo(125);
  }

  private static HoldfastProcess.Ended run(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("run", "--mechanism", "process-tree"));
    all.addAll(List.of(arguments));
    return HoldfastProcess.run(all.toArray(String[]::new));
  }
}
