package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.testing.HostOnly;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A kernel without the memory controller: User-mode Linux, booted so. */
@HostOnly
@Timeout(200)
class MissingControllerTest {

  @ParameterizedTest
  @ValueSource(strings = {"v2", "v1", "hybrid"})
  void aLimitOfItIsRefusedOrReported(String mode) throws Exception {
    assumeTrue(
        Stream.of(System.getenv("PATH").split(":", -1))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "linux.uml"))),
        "user-mode-linux is not installed");
    String script =
        "run() { "
            + HoldfastProcess.words(HoldfastProcess.parts(), "run").stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "))
            + " --memory 64M \"$@\" 2>/tmp/err; echo $?; cat /tmp/err; }\n"
            // /tmp is the guest's own.
            + "run -- touch /tmp/first; ls /tmp/first >/dev/null 2>&1 && echo ran || echo not run\n"
            + "run --enforce best-effort --report json -- touch /tmp/second\n"
            + "ls /tmp/second >/dev/null 2>&1 && echo ran || echo not run\n"
            // More controllers than usual: what is known of memory stays known.
            + "run --cpuset-cpus 0 -- true\n";
    HoldfastProcess.Ended guest =
        HoldfastProcess.await(
            HoldfastProcess.start(
                List.of(
                    uml().toString(),
                    "--mode",
                    mode,
                    "--append",
                    "cgroup_disable=memory",
                    "--timeout",
                    "120",
                    "sh",
                    "-c",
                    script)));
    assertThat(guest.status()).as(guest.err()).isZero();
    List<String> lines = guest.out().lines().toList();
    assertThat(lines).as(guest.err()).hasSize(8);
    assertThat(lines.get(0)).isEqualTo("125");
    assertThat(lines.get(1))
        .isEqualTo(
            "holdfast: cannot limit memory to 64M with cgroup-"
                + mode
                + ": the kernel's memory controller is switched off (cgroup_disable=memory)"
                + " (remove cgroup_disable=memory from the kernel's command line)");
    assertThat(lines.get(2)).isEqualTo("not run");
    assertThat(lines.get(3)).isEqualTo("0");
    JsonNode report = new JsonMapper().readTree(lines.get(4));
    assertThat(report.get("mechanism").asString()).isEqualTo("cgroup-" + mode);
    JsonNode limit = report.at("/limits/0");
    assertThat(limit.get("limit").asString()).isEqualTo("memory");
    assertThat(limit.get("status").asString()).isEqualTo("unenforced");
    assertThat(limit.get("effective").isNull()).isTrue();
    assertThat(limit.get("reason").asString()).contains("cgroup_disable=memory");
    assertThat(lines.get(5)).isEqualTo("ran");
    assertThat(lines.get(6)).isEqualTo("125");
    assertThat(lines.get(7)).isEqualTo(lines.get(1));
  }

  /** Tests run in the project's root, or in a module's. */
  private static Path uml() {
    Path here = Path.of("").toAbsolutePath();
    Path uml = here.resolve("kernels/uml");
    return Files.exists(uml) ? uml : here.getParent().resolve("kernels/uml");
  }
}
