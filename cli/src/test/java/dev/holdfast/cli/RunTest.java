package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Real jobs, started within this JVM. */
@EveryKernel
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class RunTest {
  @TempDir Path folder;

  /** Runs with a JSON report; the arguments are options, {@code --} and a command. */
  private JsonNode report(int status, String... args) throws IOException {
    Path file = folder.resolve("report");
    String[] all = new String[args.length + 5];
    all[0] = "run";
    all[1] = "--report";
    all[2] = "json";
    all[3] = "--report-file";
    all[4] = file.toString();
    System.arraycopy(args, 0, all, 5, args.length);
    Call call = Call.of(all);
    assertThat(call.status()).as(call.err()).isEqualTo(status);
    assertThat(Files.readAllLines(file)).hasSize(1);
    return new ObjectMapper().readTree(Files.readString(file));
  }

  /** What a shell command prints, with these options of ours. */
  private int printed;

  private String printed(String command, String... options) throws IOException {
    // A file for each: a second user may not be able to write what the first one made.
    Path file = folder.resolve("printed-" + printed++);
    String[] all = new String[options.length + 5];
    all[0] = "run";
    System.arraycopy(options, 0, all, 1, options.length);
    all[options.length + 1] = "--";
    all[options.length + 2] = "/bin/sh";
    all[options.length + 3] = "-c";
    all[options.length + 4] = "(" + command + ") > " + file + " 2>&1; chmod 666 " + file;
    Call call = Call.of(all);
    assertThat(call.err()).isEmpty();
    return Files.readString(file).strip();
  }

  @ParameterizedTest
  @CsvSource({
    "exit 0, 0",
    "exit 3, 3",
    "exit 255, 255",
    "kill -TERM $$, 143",
    "kill -KILL $$, 137"
  })
  void theCommandsEndIsOurs(String command, int status) {
    Call call = Call.of("run", "--", "sh", "-c", command);

    assertThat(call.status()).isEqualTo(status);
    assertThat(call.out()).isEmpty();
    assertThat(call.err()).isEmpty();
  }

  @Test
  void whatCannotRunIsToldApart() throws IOException {
    Path text = Files.writeString(folder.resolve("text"), "no program");

    assertThat(Call.of("run", "/no/such/program").status()).isEqualTo(127);
    assertThat(Call.of("run", "no-such-program").status()).isEqualTo(127);
    assertThat(Call.of("run", text.toString()).status()).isEqualTo(126);
    Call directory = Call.of("run", "--cwd", "/no/such/directory", "true");
    assertThat(directory.status()).isEqualTo(125);
    assertThat(directory.err()).matches("holdfast: [^\n]+: [^\n]+ \\([^\n]+\\)\n");
  }

  @Test
  void aFailedStartIsReported() throws IOException {
    JsonNode report = report(127, "--", "/no/such/program");

    assertThat(report.get("outcome").asString()).isEqualTo("failed-to-start");
    assertThat(report.get("exitCode").isNull()).isTrue();
    assertThat(report.get("command").get(0).asString()).isEqualTo("/no/such/program");
  }

  @Test
  @Needs({Feature.ROOT, Feature.DEVICES})
  void aDeniedDeviceIsRefused() throws IOException {
    String look = "for d in zero full; do head -c 1 /dev/$d | wc -c; done";
    assertThat(printed(look)).matches("1\\s+1");
    assertThat(printed(look, "--device", "!c 1:5 r", "--device=!/dev/tty rwm"))
        .matches("(?s)head: [^\n]*/dev/zero[^\n]*: Operation not permitted\\s+0\\s+1");
    assertThat(printed(look, "--device", "!a *:* rw", "--device", "c 1:5 r"))
        .matches("(?s)1\\s+head: [^\n]*/dev/full[^\n]*: Operation not permitted\\s+0");

    JsonNode limit =
        report(0, "--device", "!c *:* rwm", "--device", "c *:* rm", "--", "true")
            .get("limits")
            .get(0);
    assertThat(limit.get("limit").asString()).isEqualTo("device");
    assertThat(limit.get("requested").asString()).isEqualTo("!c *:* rwm, c *:* rm");
    assertThat(limit.get("effective").asString()).isEqualTo("a *:* rwm, !c *:* w");
    assertThat(limit.get("status").asString()).isEqualTo("enforced");
  }

  @Test
  @Needs(Feature.MEMORY)
  void aHogIsOomKilled() throws Exception {
    HoldfastProcess.Ended ended =
        HoldfastProcess.run(
            "run",
            "--memory",
            "64M",
            "--report",
            "json",
            "--",
            "perl",
            "-e",
            "$x=\"a\" x 300000000");
    assertThat(ended.status()).as(ended.err()).isEqualTo(137);
    JsonNode report = new ObjectMapper().readTree(ended.err());

    assertThat(report.get("outcome").asString()).isEqualTo("oom-killed");
    assertThat(report.get("signal").asString()).isEqualTo("SIGKILL");
    heldToItsMemory(report);
  }

  /**
   * In its own group within the job's, in every hierarchy, and two sessions away from the shell
   * that the job was started with, which ends well by itself.
   */
  private static final String DISTANT_HOG =
      """
      own=$(sed -n 's,.*\\(/holdfast-[^/]*/job-[0-9]*\\)$,\\1,p' /proc/self/cgroup | head -n 1)
      for job in $(find /sys/fs/cgroup -path "*$own"); do
        mkdir "$job/nested" && groups="$groups $job/nested"
      done
      setsid -w setsid -w sh -c '
        for group in "$@"; do echo $$ >"$group/cgroup.procs" || exit; done
        grep -q "/job-[0-9]*/nested$" /proc/self/cgroup && echo nested
        exec perl -e "setpgrp; \\$x = q(a) x 300000000; sleep 1000"' sh $groups
      exit 0
      """;

  @Test
  @Needs({Feature.ROOT, Feature.MEMORY})
  void aDistantHogEndsTheJob() throws IOException {
    JsonNode report = distantHog(137);
    assertThat(report.get("outcome").asString()).isEqualTo("oom-killed");
    heldToItsMemory(report);
  }

  @Test
  @Needs({Feature.ROOT, Feature.MEMORY})
  void aDistantHogIsItsOwnAffairIfAskedSo() throws IOException {
    JsonNode report = distantHog(0, "--oom-group", "no");
    assertThat(report.get("outcome").asString()).isEqualTo("exited");
    assertThat(report.get("exitCode").asInt()).isZero();
    heldToItsMemory(report);
  }

  private JsonNode distantHog(int status, String... options) throws IOException {
    Path out = folder.resolve("hog");
    List<String> all = new ArrayList<>(List.of(options));
    all.addAll(List.of("--memory", "64M", "--timeout", "100s", "--", "sh", "-c"));
    all.add("exec >" + out + " 2>&1\n" + DISTANT_HOG);
    JsonNode report = report(status, all.toArray(String[]::new));
    assertThat(Files.readString(out).lines()).as("where the hog was").first().isEqualTo("nested");
    return report;
  }

  private static void heldToItsMemory(JsonNode report) {
    assertThat(report.at("/memory/oomKills").asLong()).isPositive();
    assertThat(report.at("/memory/peakBytes").asLong()).isBetween(32L << 20, 64L << 20);
    JsonNode limit = report.at("/limits/0");
    assertThat(limit.get("limit").asString()).isEqualTo("memory");
    assertThat(limit.get("requested").asString()).isEqualTo("64M");
    assertThat(limit.get("effective").asLong()).isEqualTo(67108864);
    assertThat(limit.get("status").asString()).isEqualTo("enforced");
  }

  @Test
  void aTreeThatDoesNotListenIsGoneWhenItsTimeIsUp() throws IOException {
    long begin = System.nanoTime();
    JsonNode report =
        report(
            124,
            "--timeout",
            "1s",
            "--grace",
            "500ms",
            "--",
            "sh",
            "-c",
            "trap '' TERM; echo $$ > " + folder + "/pid; sleep 100 & sleep 100");

    assertThat((System.nanoTime() - begin) / 1e9).isBetween(1.0, 8.0);
    assertThat(report.get("outcome").asString()).isEqualTo("timed-out");
    assertThat(report.get("cleanup").get("killedMembers").asInt()).isGreaterThanOrEqualTo(2);
    assertThat(report.get("cleanup").get("removed").asBoolean()).isTrue();
    Path process = Path.of("/proc", Files.readString(folder.resolve("pid")).strip());
    assertThat(process).doesNotExist();
  }

  @Test
  @Needs(Feature.CGROUP_V2)
  void cpuTimeIsCountedOverTheTree() throws IOException {
    JsonNode report =
        report(
            124,
            "--cpu-time",
            "500ms",
            "--",
            "sh",
            "-c",
            "while :; do :; done & while :; do :; done");

    assertThat(report.get("outcome").asString()).isEqualTo("cpu-time-exceeded");
    assertThat(report.get("cpu").get("totalSeconds").asDouble()).isBetween(0.45, 3.0);
  }

  @Test
  void theCommandSeesWhatWasAsked() throws IOException {
    assertThat(
            printed(
                "pwd; umask; nice; ulimit -n",
                "--cwd",
                "/usr",
                "--umask",
                "027",
                "--nice",
                "5",
                "--rlimit",
                "nofile=77:88"))
        .isEqualTo("/usr\n0027\n5\n77");
    assertThat(printed("echo $A-$B-$HOME", "--env", "A=ü =", "--env", "B=2", "--env", "A=3"))
        .isEqualTo("3-2-" + System.getenv("HOME"));
    assertThat(printed("/usr/bin/env | /usr/bin/sort", "--clear-env", "--env", "A=ü ="))
        .contains("A=ü =")
        .doesNotContain("HOME=");
  }

  @Test
  @Needs(Feature.ROOT)
  void theCommandIsTheUserAsked() throws IOException {
    folder.toFile().setWritable(true, false);
    folder.toFile().setExecutable(true, false);

    assertThat(printed("id -u; id -g; id -G", "--user", "nobody")).startsWith("65534\n65534\n");
    assertThat(printed("id -u; id -g", "--user", "12345:54321")).isEqualTo("12345\n54321");
  }

  @Test
  void namesAndMechanismsAreReported() throws IOException {
    JsonNode report = report(0, "--name", "my job", "--mechanism", "process-group", "true");

    assertThat(report.get("name").asString()).isEqualTo("my job");
    assertThat(report.get("mechanism").asString()).isEqualTo("process-group");
    assertThat(report.get("cgroup").isNull()).isTrue();
  }

  @Test
  void aLimitThatNothingHoldsIsAnErrorUnlessBestEffort() throws IOException {
    Call refused =
        Call.of("run", "--mechanism", "process-group", "--memory", "64M", "touch", folder + "/ran");
    assertThat(refused.status()).isEqualTo(125);
    assertThat(refused.err()).contains("process-group").matches("holdfast: [^\n]+\n");
    assertThat(folder.resolve("ran")).doesNotExist();

    JsonNode report =
        report(
            0,
            "--mechanism",
            "process-group",
            "--memory",
            "64M",
            "--enforce",
            "best-effort",
            "touch",
            folder + "/ran");
    assertThat(report.get("limits").get(0).get("status").asString()).isEqualTo("unenforced");
    assertThat(report.get("limits").get(0).get("effective").isNull()).isTrue();
    assertThat(folder.resolve("ran")).exists();
  }

  @Test
  void verboseTellsWhatWasChosen() {
    Call call = Call.of("run", "--verbose", "--", "true");

    assertThat(call.status()).isZero();
    assertThat(call.err())
        .contains("holdfast: mechanism ", "holdfast: chosen ")
        .doesNotContain("\tat ");
  }

  @Test
  void theTextReportGoesToStderr() {
    Call call = Call.of("run", "--report", "text", "--", "true");

    assertThat(call.err()).contains("outcome  exited (exit code 0)");
    assertThat(call.out()).isEmpty();
  }
}
