package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The quick reading of a call and picocli's are the same wherever the quick one has an answer. */
class PlainCallTest {
  static Stream<String> calls() {
    return Stream.of(
        "true",
        "-- true",
        "-- -m -- --memory",
        "true -- --help",
        "true --memory 64M --frob",
        "sh -c exit",
        "--memory 64M true",
        "--memory=64M true",
        "-m 64M -- true a b",
        "-t 1s --verbose --clear-env true -t 2s",
        "--env A=1 --env=B=2=3 --env C= true",
        "--rlimit nofile=3 --rlimit core=0:1 -- true",
        "--device !a --device=/dev/null\trw true",
        "--io-weight 50 --io-max 8:0:rbps=1M --io-max=8:16:wbps=2M,wiops=3 true",
        "--hugetlb 2M=64M --hugetlb=1G=1G -- true",
        "--umask= true",
        "--help",
        "--verbose",
        "-m 64M",
        "@file true",
        "${x} true");
  }

  @ParameterizedTest
  @MethodSource("calls")
  void agreesWithPicocli(String line) throws UsageException {
    String[] args = line.split(" ", -1);
    ParsedOptions plain = PlainCall.read(RunOptions.all().options(), args);

    assertThat(plain).isNotNull();
    ParsedOptions full = new Picocli(RunOptions.all()).parse(args);
    assertThat(plain.values()).containsExactlyInAnyOrderEntriesOf(full.values());
    assertThat(plain.rest()).isEqualTo(full.rest());
  }

  @Test
  void leavesTheUnusualToPicocli() throws UsageException {
    String[] args = {"-m64M", "--nice", "-5", "true"};

    assertThat(PlainCall.read(RunOptions.all().options(), args)).isNull();
    ParsedOptions parsed = RunOptions.all().parse(args);
    assertThat(parsed.values().get("--memory")).containsExactly("64M");
    assertThat(parsed.values().get("--nice")).containsExactly("-5");
    assertThat(parsed.rest()).containsExactly("true");
  }
}
