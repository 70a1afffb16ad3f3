package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code holdfast sweep}, as far as nothing is there to sweep; SweepTest has the rest. */
@EveryKernel
class SweepCommandTest {
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
}
