package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.LoopDevice;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Real jobs with the limits of a config.json. */
@EveryKernel
@Timeout(120)
class OciRunTest {
  /** Once: what perl knows when it compiles it would hold twice. */
  private static final String HOG = "perl -e '$n = 80000000; $x = \"a\" x $n'";

  @TempDir Path folder;

  private Path config(String resources, String process) throws IOException {
    return Files.writeString(
        folder.resolve("config.json"),
        "{\"ociVersion\":\"1.0.2\",\"process\":{"
            + process
            + "},\"linux\":{\"resources\":{"
            + resources
            + "}}}");
  }

  private Call run(Path config, String command, String... options) {
    List<String> all = new ArrayList<>(List.of("run", "--oci", config.toString()));
    all.addAll(List.of(options));
    all.addAll(List.of("--", "sh", "-c", "{ " + command + "; } >" + folder + "/out 2>&1"));
    return Call.of(all.toArray(new String[0]));
  }

  private JsonNode report(int status, Path config, String command, String... options)
      throws IOException {
    List<String> all = new ArrayList<>(List.of(options));
    Path file = folder.resolve("report");
    all.addAll(List.of("--report", "json", "--report-file", file.toString()));
    Call call = run(config, command, all.toArray(new String[0]));
    assertThat(call.status()).as(call.err()).isEqualTo(status);
    return new ObjectMapper().readTree(Files.readString(file));
  }

  private String out() throws IOException {
    return Files.readString(folder.resolve("out")).strip();
  }

  private static JsonNode limit(JsonNode report, String name) {
    for (JsonNode limit : report.get("limits")) {
      if (limit.get("limit").asString().equals(name)) {
        assertThat(limit.get("status").asString()).as(limit.toString()).isEqualTo("enforced");
        return limit;
      }
    }
    throw new AssertionError(name + " in " + report);
  }

  @Test
  @Needs({Feature.MEMORY, Feature.PIDS})
  void memoryAndTasksAreHeld() throws IOException {
    Path config = config("\"memory\":{\"limit\":67108864},\"pids\":{\"limit\":16}", "");
    JsonNode report = report(137, config, HOG);
    assertThat(report.get("outcome").asString()).isEqualTo("oom-killed");
    assertThat(limit(report, "memory").get("requested").asString()).isEqualTo("67108864");
    assertThat(limit(report, "memory").get("effective").asLong()).isEqualTo(67108864);
    assertThat(limit(report, "pids").get("effective").asLong()).isEqualTo(16);

    // Without the file, or with another limit said, the same command ends well.
    assertThat(Call.of("run", "--", "sh", "-c", HOG).status()).isZero();
    report = report(0, config, HOG, "--memory", "1G");
    assertThat(limit(report, "memory").get("requested").asString()).isEqualTo("1G");
    assertThat(limit(report, "pids").get("effective").asLong()).isEqualTo(16);
  }

  @Test
  @Needs(Feature.PIDS)
  void oneTaskTooManyIsRefused() throws IOException {
    String two = "sh -c 'sleep 0.1 & sleep 0.1 & wait; echo well'";
    report(0, config("\"pids\":{\"limit\":8}", ""), two);
    assertThat(out()).isEqualTo("well");
    JsonNode report = report(2, config("\"pids\":{\"limit\":2}", ""), two);
    assertThat(out()).containsIgnoringCase("fork").doesNotContain("well");
    assertThat(limit(report, "pids").get("evidence").asString()).isEqualTo("tripped");
  }

  @Test
  @Needs(Feature.CPU)
  void quotaPeriodAndSharesAreSet() throws IOException {
    JsonNode report =
        report(
            0,
            config("\"cpu\":{\"shares\":512,\"quota\":25000,\"period\":50000}", ""),
            "cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/cpu.max; true");
    assertThat(limit(report, "cpus").get("effective").asDouble()).isEqualTo(0.5);
    assertThat(limit(report, "cpus").get("requested").asString()).isEqualTo("25000 50000");
    JsonNode weight = limit(report, "cpu-weight");
    assertThat(weight.get("requested").asString()).isEqualTo("512 shares");
    boolean v2 = weight.get("by").asString().equals("cpu.weight");
    assertThat(weight.get("effective").asLong()).isEqualTo(v2 ? 59 : 512);
    if (Feature.PURE_V2.isPresent()) {
      assertThat(out()).isEqualTo("25000 50000");
    }
  }

  @Test
  @Needs(Feature.CPUSET)
  void processorsArePinned() throws IOException {
    String show = "sed -n 's/Cpus_allowed_list:\\t//p' /proc/self/status";
    JsonNode report = report(0, config("\"cpu\":{\"cpus\":\"0\",\"mems\":\"0\"}", ""), show);
    assertThat(out()).isEqualTo("0");
    assertThat(limit(report, "cpuset-cpus").get("effective").asString()).isEqualTo("0");
    assertThat(limit(report, "cpuset-mems").get("effective").asString()).isEqualTo("0");
    Call call = run(config("\"cpu\":{\"cpus\":\"4095\"}", ""), show);
    assertThat(call.status()).as(call.err()).isEqualTo(125);
  }

  @Test
  @Needs({Feature.ROOT, Feature.DEVICES})
  void devicesThatAreNotListedAreRefused() throws IOException {
    String look = "for d in zero kmsg; do (: < /dev/$d) && echo $d; done; true";
    assertThat(run(config("", ""), look).status()).isZero();
    assertThat(out()).isEqualTo("zero\nkmsg");
    JsonNode report =
        report(0, config("\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]", ""), look);
    assertThat(out()).contains("zero", "kmsg: Operation not permitted").doesNotContain("\nkmsg");
    assertThat(limit(report, "device").get("effective").asString()).startsWith("!a *:* rwm, ");
  }

  @Test
  @InGuest
  @Needs({Feature.ROOT, Feature.IO, Feature.LOOP})
  void ratesOfADeviceAreSet() throws Exception {
    try (LoopDevice device = new LoopDevice(1 << 20)) {
      String[] number = device.number().split(":");
      String rate = "[{\"major\":%s,\"minor\":%s,\"rate\":%d}]";
      Path config =
          config(
              "\"blockIO\":{\"throttleReadBpsDevice\":"
                  + rate.formatted(number[0], number[1], 1 << 20)
                  + ",\"throttleWriteIOPSDevice\":"
                  + rate.formatted(number[0], number[1], 77)
                  + "}",
              "");
      JsonNode report = report(0, config, "true");
      assertThat(limit(report, "io-max").get("effective").asString())
          .startsWith(device.number() + " ")
          .contains("rbps=1048576", "wiops=77");
      report = report(0, config, "true", "--io-max", device.path() + ":wiops=78,wbps=5M");
      assertThat(limit(report, "io-max").get("effective").asString())
          .contains("rbps=1048576", "wiops=78", "wbps=5242880");
    }
  }

  @Test
  void limitsOfTheProcess() throws IOException {
    Path config = config("", "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":37,\"hard\":41}]");
    assertThat(run(config, "ulimit -Sn; ulimit -Hn").status()).isZero();
    assertThat(out()).isEqualTo("37\n41");
    assertThat(run(config, "ulimit -Sn", "--rlimit", "nofile=35").status()).isZero();
    assertThat(out()).isEqualTo("35");
  }

  @Test
  void verboseTellsWhatIsIgnored() throws IOException {
    Path config = config("\"memory\":{\"useHierarchy\":false}", "");
    assertThat(run(config, "true", "--verbose").err())
        .contains("holdfast: ignored     linux.resources.memory.useHierarchy: ");
    assertThat(run(config, "true").err()).isEmpty();
  }

  @Test
  void theOomScore() throws IOException {
    String show = "cat /proc/self/oom_score_adj";
    assertThat(run(config("", "\"oomScoreAdj\":777"), show).status()).isZero();
    assertThat(out()).isEqualTo("777");
    assertThat(run(config("", ""), show).status()).isZero();
    assertThat(out()).isEqualTo(Files.readString(Path.of("/proc/self/oom_score_adj")).strip());
  }

  @Test
  void whatIsWrongIsNamedByItsPathAndNothingRuns() throws IOException {
    Call call = run(config("\"memory\":{\"limit\":\"64M\"}", ""), "true");
    assertThat(call.status()).isEqualTo(125);
    assertThat(call.err())
        .isEqualTo(
            "holdfast: bad --oci: linux.resources.memory.limit: expected an integer, found \"64M\""
                + " (change it in the document, or leave it out)\n");
    call = run(config("\"memory\":{\"limit\":65,\"swap\":64}", ""), "true");
    assertThat(call.status()).isEqualTo(125);
    assertThat(call.err()).startsWith("holdfast: bad --oci: linux.resources.memory.swap: 64 is");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  @Needs(Feature.PURE_V2)
  void whatOnlyV1HasIsRefusedOnV2() throws IOException {
    Call call = run(config("\"memory\":{\"kernelTCP\":65536}", ""), "true");
    assertThat(call.status()).isEqualTo(125);
    assertThat(call.err()).contains("memory.kmem.tcp.limit_in_bytes");
    call = run(config("\"memory\":{\"kernel\":65536}", ""), "true");
    assertThat(call.status()).isEqualTo(125);
    assertThat(call.err()).contains("v2 has nothing like memory-kernel");
    assertThat(folder.resolve("out")).doesNotExist();
  }
}
