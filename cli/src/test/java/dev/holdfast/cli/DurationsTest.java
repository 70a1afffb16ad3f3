package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationsTest {
  @ParameterizedTest
  @CsvSource({
    "250ms, PT0.25S",
    "10s, PT10S",
    "1.5s, PT1.5S",
    "5m, PT5M",
    "1h, PT1H",
    "0.000001ms, PT0.000000001S",
    "1000000h, PT1000000H"
  })
  void timesAreRead(String text, Duration expected) {
    assertThat(Durations.parse(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0",
        "0s",
        "0ms",
        "-1s",
        "10",
        "s",
        "ms",
        "1d",
        "1 s",
        "1S",
        "1e3s",
        "1.2.3s",
        ".s",
        "+1s",
        "0.0000001ms",
        "1000001h",
        "99999999999999999999h",
        "max"
      })
  void anythingElseIsRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Durations.parse(text))
        .withMessageContaining("\"" + text + "\"");
  }
}
