package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.SlowInGuests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code holdfast sweep}; SweepTest has what is swept, and what is not. */
@EveryKernel
@Timeout(120)
class SweepCommandTest {
  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  void theReportHasItsFields() {
    Call call = Call.of("sweep", "--json");

    assertThat(call.err()).isEmpty();
    assertThat(call.status()).isZero();
    assertThat(call.out()).hasLineCount(1);
    JsonNode report = new JsonMapper().readTree(call.out());
    assertThat(report.propertyNames())
        .containsExactly("schema", "swept", "left", "released", "living");
    assertThat(report.get("schema").asString()).isEqualTo("holdfast.sweep/1");
    assertThat(report.get("left").isArray()).isTrue();
    assertThat(report.get("living").isNumber()).isTrue();
  }

  @Test
  void forPeopleItIsALine() {
    Call call = Call.of("sweep");

    assertThat(call.status()).isZero();
    assertThat(call.out())
        .matches("(?s)(.*\n)?\\d+ swept, \\d+ with released members, \\d+ living\n");
  }

  @Test
  void withNothingToSweepItSaysSo() {
    // Others of this machine may die meanwhile.
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> Call.of("sweep"),
            call ->
                call.status() == 0
                    && call.err().isEmpty()
                    && call.out().matches("0 swept, \\d+ with released members, \\d+ living\n"));
  }

  @Test
  @SlowInGuests
  @Needs({Feature.ROOT, Feature.FREEZER})
  void theDeadIsSweptAndNamed() throws Exception {
    try (Cgroup group = group()) {
      Path anchor = deadBelow(group);

      String out = sweepOf(anchor);

      assertThat(out.lines()).contains(anchor + ": 2 killed, nothing left");
      assertThat(out).matches("(?s).*\n[1-9]\\d* swept, \\d+ with released members, \\d+ living");
    }
  }

  @Test
  @SlowInGuests
  @Needs({Feature.ROOT, Feature.FREEZER})
  void theDeadIsSweptAndReported() throws Exception {
    try (Cgroup group = group()) {
      Path anchor = deadBelow(group);

      String out = sweepOf(anchor, "--json");

      assertThat(new JsonMapper().readTree(out).get("swept"))
          .filteredOn(swept -> swept.get("path").asString().equals(anchor.toString()))
          .singleElement()
          .satisfies(swept -> {
            assertThat(swept.get("anchor").asString()).isEqualTo(anchor.getFileName().toString());
            assertThat(swept.get("killedMembers").asInt()).isEqualTo(2);
          });
    }
  }

  /** What the command prints, after which nobody and nothing of the anchor is left. */
  private String sweepOf(Path anchor, String... options) throws Exception {
    HoldfastProcess.Ended sweep =
        HoldfastProcess.run(
            Stream.concat(Stream.of("sweep"), Stream.of(options)).toArray(String[]::new));
    assertThat(mark.alive()).isEmpty();
    assertThat(anchor).doesNotExist();
    assertThat(sweep.status()).isZero();
    assertThat(sweep.err()).isEmpty();
    return sweep.out();
  }

  /** In which nobody else makes an anchor, and sweeps what is beside it. */
  private static Cgroup group() throws IOException {
    return Delegation.find().create("hf-sweep-" + ProcessHandle.current().pid());
  }

  /** The anchor of a command that died together with its keeper; its two members live. */
  private Path deadBelow(Cgroup group) throws Exception {
    Path root =
        group.unifiedDirectory().or(() -> group.directory("freezer")).orElseThrow().toRealPath();
    Process run =
        HoldfastProcess.start(
            HoldfastProcess.words(
                HoldfastProcess.parts(),
                "run",
                "--cgroup-root",
                root.toString(),
                "--",
                "perl",
                "-e",
                "fork; sleep 1000",
                mark.text()));
    mark.await(3); // the command itself is one
    Jvm.killWithKeeper(run);
    // The control: without a sweep they live on.
    assertThat(mark.alive()).hasSize(2);
    try (Stream<Path> below = Files.list(root)) {
      List<Path> anchors =
          below.filter(path -> path.getFileName().toString().startsWith("holdfast-")).toList();
      assertThat(anchors).hasSize(1);
      return anchors.getFirst();
    }
  }
}
