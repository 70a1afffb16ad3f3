package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Calls that are wrong: 125, and one line that says what, why, and how to mend it. Nothing runs.
 */
class UsageTest {
  static Stream<Arguments> wrong() {
    return Stream.of(
        call("no subcommand"),
        call("unknown subcommand \"frob\"", "frob"),
        call("unknown option \"--frob\"", "--frob"),
        call("no command", "run"),
        call("no command", "run", "--"),
        call("no command", "run", "--", ""),
        call("unknown option \"--frob\"", "run", "--frob", "--", "true"),
        call("unknown option \"--frob=1\"", "run", "--frob=1", "true"),
        call("unknown option \"--memo\"", "run", "--memo", "1M", "true"),
        call("unknown option \"--detach\"", "run", "--detach", "true"),
        call("'--memory'", "run", "--memory"),
        call("'--memory'", "run", "--memory", "--pids", "3", "true"),
        call("--memory is given more than once", "run", "-m", "1M", "--memory", "2M", "true"),
        call("bad --memory", "run", "--memory", "64X", "true"),
        call("bad --memory", "run", "--memory", "0", "true"),
        call("bad --memory", "run", "--memory", "-1", "true"),
        call("bad --memory", "run", "--memory=", "true"),
        call("bad --memory-high", "run", "--memory-high", "lots", "true"),
        call("bad --swap", "run", "--swap", "0", "true"),
        call("bad --cpus", "run", "--cpus", "0", "true"),
        call("bad --cpus", "run", "--cpus", "0.0001", "true"),
        call("bad --cpu-weight", "run", "--cpu-weight", "10001", "true"),
        call("bad --cpu-burst", "run", "--cpu-burst", "1", "true"),
        call("bad --cpu-burst", "run", "--cpu-burst", "0ms", "true"),
        call("bad --pids", "run", "--pids", "0", "true"),
        call("bad --device", "run", "--device", "c 1:3", "true"),
        call("bad --device", "run", "--device", "c 1:3 rwm,c 1:5 rwm", "true"),
        call("/no/such/device", "run", "--device", "/no/such/device rw", "true"),
        call("in it", "run", "--device", "!c 1:* r", "--device", "c 1:3 r", "true"),
        call("cannot read /no/such/config.json", "run", "--oci", "/no/such/config.json", "true"),
        call("bad --oci: the document is no JSON", "run", "--oci", "/dev/null", "true"),
        call("bad --oci", "run", "--oci", "a\0b", "true"),
        call("--oci is given more than once", "run", "--oci", "a", "--oci", "b", "true"),
        call("bad --oom-group", "run", "--oom-group", "maybe", "true"),
        call("bad --rlimit", "run", "--rlimit", "nofile", "true"),
        call("bad --rlimit", "run", "--rlimit", "files=3", "true"),
        call("bad --user", "run", "--user", "no such user", "true"),
        call("bad --env", "run", "--env", "A", "true"),
        call("bad --env", "run", "--env", "=A", "true"),
        call("bad --umask", "run", "--umask", "888", "true"),
        call("bad --umask", "run", "--umask", "1000", "true"),
        call("bad --nice", "run", "--nice", "20", "true"),
        call("bad --nice", "run", "--nice", "low", "true"),
        call("bad --timeout", "run", "--timeout", "0s", "true"),
        call("bad --timeout", "run", "-t", "10", "true"),
        call("bad --cpu-time", "run", "--cpu-time", "-1s", "true"),
        call("bad --grace", "run", "--grace", "0s", "true"),
        call("bad --signal", "run", "--signal", "NONE", "true"),
        call("bad --mechanism", "run", "--mechanism", "magic", "true"),
        call("bad --enforce", "run", "--enforce", "no", "true"),
        call("bad --report", "run", "--report", "xml", "true"),
        call("--report", "run", "--report-file", "/dev/null", "true"),
        call("cannot write the report", "run", "--report", "json", "--report-file", "/", "true"),
        call("bad --name", "run", "--name", "a\nb", "true"),
        call("unknown option \"--frob\"", "doctor", "--frob"),
        call("unexpected argument \"x\"", "doctor", "x"));
  }

  /** Every option that takes a value, with an empty one, in both forms. */
  static Stream<Arguments> empty() {
    return RunOptions.all().options().stream()
        .filter(Option::takesValue)
        .flatMap(option ->
            Stream.of(
                call(option.name(), "run", option.name(), "", "--", "true"),
                call(option.name(), "run", option.name() + "=", "--", "true"),
                call(option.name(), "run", option.names().getFirst(), "", "true")));
  }

  private static Arguments call(String why, String... args) {
    return Arguments.of(why, args);
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void aWrongCallIsOneLineAnd125(String why, String[] args) {
    Call call = Call.of(args);

    assertThat(call.status()).isEqualTo(125);
    assertThat(call.out()).isEmpty();
    assertThat(call.err()).contains(why).matches("holdfast: [^\n]+: [^\n]+ \\([^\n]+\\)\n");
  }

  @ParameterizedTest
  @MethodSource("empty")
  void anEmptyValueIsNone(String option, String[] args) {
    Call call = Call.of(args);

    assertThat(call.status()).isEqualTo(125);
    assertThat(call.err())
        .isEqualTo("holdfast: bad " + option + ": its value is empty (see holdfast run --help)\n");
  }

  @Test
  void helpGoesToStdout() {
    assertThat(Call.of("--help").out()).contains("holdfast run", "holdfast doctor");
    Call run = Call.of("run", "--help");
    assertThat(run.status()).isZero();
    assertThat(run.err()).isEmpty();
    for (Option option : RunOptions.all().options()) {
      assertThat(run.out()).contains(option.name());
    }
    assertThat(Call.of("doctor", "--help").out()).contains("--json");
  }

  @Test
  void theVersionIsTheOneOfTheBuild() {
    assertThat(Call.of("--version").out()).matches("holdfast \\d+\\.\\d+\\.\\d+.*\n");
  }
}
