package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Child;
import dev.holdfast.Cleanup;
import dev.holdfast.Mechanism;
import dev.holdfast.Outcome;
import dev.holdfast.Result;
import dev.holdfast.Signal;
import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.LimitValue;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.Usage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** The report against the contract, to the character. */
class JsonReportTest {
  private static final Usage USAGE =
      new Usage(
          new Usage.Cpu(
              Optional.of(Duration.ofNanos(1_500_000_000)),
              Optional.of(Duration.ofSeconds(1)),
              Optional.of(Duration.ofMillis(500)),
              Optional.of(Duration.ZERO),
              OptionalLong.of(0)),
          new Usage.Memory(OptionalLong.empty(), OptionalLong.of(67108864), OptionalLong.of(2)),
          new Usage.Pids(OptionalLong.empty(), OptionalLong.of(3), OptionalLong.of(0)),
          Usage.Io.NONE,
          Usage.Pressure.NONE,
          new Usage.Trips(
              OptionalLong.of(7),
              OptionalLong.empty(),
              OptionalLong.empty(),
              OptionalLong.empty()));

  @Test
  void aFullReport() {
    Map<String, String> paths = new LinkedHashMap<>();
    paths.put("unified", "/holdfast-1/job-1");
    paths.put("memory", "/a/job-1");
    List<AppliedLimit> limits =
        List.of(
            AppliedLimit.enforced(
                LimitKind.MEMORY, Optional.of("64M"), LimitValue.count(67108864), "memory.max"),
            AppliedLimit.enforced(
                LimitKind.SWAP, Optional.empty(), LimitValue.count(0), "memory.swap.max"),
            AppliedLimit.enforced(
                LimitKind.CPUS, Optional.of("0.5"), LimitValue.cpus(0.5), "cpu.max"),
            AppliedLimit.enforced(
                LimitKind.PIDS, Optional.of("max"), LimitValue.UNLIMITED, "pids.max"),
            AppliedLimit.unenforced(
                Limits.builder().memoryHigh("1G").build().requests().getFirst(),
                "there is no memory.high"));
    Result result =
        result(
            paths,
            Outcome.OOM_KILLED,
            Optional.of(new Child.Exit(-1, Optional.of(Signal.KILL))),
            USAGE,
            limits,
            new Cleanup(3, true, Duration.ofMillis(4)));

    assertThat(json(result))
        .isEqualTo(
            """
            {"schema":"holdfast.run/1","name":"job \\"1\\"","command":["sh","-c","ü\uFFFD"],\
            "mechanism":"cgroup-hybrid","cgroup":{"unified":"/holdfast-1/job-1","memory":"/a/job-1"},\
            "outcome":"oom-killed","exitCode":null,"signal":"SIGKILL",\
            "startedAt":"2026-11-23T01:02:03.004Z","wallSeconds":1.234,\
            "cpu":{"totalSeconds":1.5,"userSeconds":1,"systemSeconds":0.5,"throttledSeconds":0,\
            "throttledPeriods":0},\
            "memory":{"peakBytes":67108864,"oomKills":2},"pids":{"peak":3,"rejected":0},\
            "io":{"readBytes":null,"writeBytes":null},\
            "pressure":{"cpuSomeSeconds":null,"memorySomeSeconds":null,"ioSomeSeconds":null},\
            "limits":[\
            {"limit":"memory","requested":"64M","effective":67108864,"status":"enforced",\
            "by":"memory.max","reason":null,"evidence":"tripped"},\
            {"limit":"swap","requested":null,"effective":0,"status":"enforced",\
            "by":"memory.swap.max","reason":null,"evidence":"unknown"},\
            {"limit":"cpus","requested":"0.5","effective":0.5,"status":"enforced",\
            "by":"cpu.max","reason":null,"evidence":"not-tripped"},\
            {"limit":"pids","requested":"max","effective":"max","status":"enforced",\
            "by":"pids.max","reason":null,"evidence":"not-tripped"},\
            {"limit":"memory-high","requested":"1G","effective":null,"status":"unenforced",\
            "by":null,"reason":"there is no memory.high","evidence":"unknown"}],\
            "cleanup":{"killedMembers":3,"removed":true,"seconds":0.004}}
            """);
  }

  @Test
  void whatIsNotKnownIsNull() {
    Result result =
        result(
            Map.of(),
            Outcome.FAILED_TO_START,
            Optional.empty(),
            Usage.NONE,
            List.of(),
            new Cleanup(0, false, Duration.ofNanos(1)));

    assertThat(json(result))
        .contains(
            "\"cgroup\":null,\"outcome\":\"failed-to-start\",\"exitCode\":null,\"signal\":null",
            "\"memory\":{\"peakBytes\":null,\"oomKills\":null}",
            "\"cpu\":{\"totalSeconds\":null,\"userSeconds\":null,\"systemSeconds\":null,"
                + "\"throttledSeconds\":null,\"throttledPeriods\":null}",
            "\"limits\":[]",
            "\"removed\":false,\"seconds\":0.000000001}}");
  }

  @Test
  void theTextFormHasALineForEachMatter() {
    Result result =
        result(
            Map.of("unified", "/x"),
            Outcome.EXITED,
            Optional.of(new Child.Exit(3, Optional.empty())),
            USAGE,
            List.of(),
            new Cleanup(0, true, Duration.ofMillis(4)));

    assertThat(TextReport.of(result).lines())
        .allMatch(line -> line.startsWith("holdfast: "))
        .contains(
            "holdfast: outcome  exited (exit code 3) after 1.234 s",
            "holdfast: memory   64.0 MiB at most, 2 OOM kills",
            "holdfast: io       not known",
            "holdfast: cleanup  0 killed, nothing left, 0.004 s");
  }

  @Test
  void whatStandsInForALimitIsToldByItsName() {
    Limits.Request memory = Limits.builder().memory("64M").build().requests().getFirst();
    Result result =
        result(
            Map.of(),
            Outcome.EXITED,
            Optional.of(new Child.Exit(0, Optional.empty())),
            Usage.NONE,
            List.of(AppliedLimit.standIn(memory, "RLIMIT_AS", "no cgroup is ours")),
            new Cleanup(0, true, Duration.ofMillis(4)));

    assertThat(json(result))
        .contains(
            "{\"limit\":\"memory\",\"requested\":\"64M\",\"effective\":null,\"status\":\"unenforced\","
                + "\"by\":\"RLIMIT_AS\",\"reason\":\"no cgroup is ours\",\"evidence\":\"unknown\"}");
    assertThat(TextReport.of(result).lines())
        .contains(
            "holdfast: limit    memory 64M: unenforced, instead RLIMIT_AS, no cgroup is ours");
  }

  private static String json(Result result) {
    return new String(JsonReport.of(result), StandardCharsets.UTF_8);
  }

  private static Result result(
      Map<String, String> paths,
      Outcome outcome,
      Optional<Child.Exit> exit,
      Usage usage,
      List<AppliedLimit> limits,
      Cleanup cleanup) {
    return new Result(
        "job \"1\"",
        List.of("sh", "-c", "ü\uDCE9"),
        paths.isEmpty() ? Mechanism.PROCESS_GROUP : Mechanism.CGROUP_HYBRID,
        paths,
        outcome,
        exit,
        Instant.parse("2026-11-23T01:02:03.004Z"),
        Duration.ofMillis(1234),
        usage,
        limits,
        cleanup,
        null,
        null);
  }
}
