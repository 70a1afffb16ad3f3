package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Host;
import dev.holdfast.testing.EveryKernel;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

@EveryKernel
class DoctorTest {
  @Test
  void theJsonFormIsTheContracts() {
    Call call = Call.of("doctor", "--json");

    assertThat(call.err()).isEmpty();
    assertThat(call.out().lines()).hasSize(1);
    JsonNode json = new ObjectMapper().readTree(call.out());
    assertThat(json.propertyNames())
        .containsExactly(
            "schema", "available", "mechanism", "reason", "remedy", "kernel", "cgroup", "features");
    assertThat(json.get("schema").asString()).isEqualTo("holdfast.doctor/1");
    assertThat(json.get("cgroup").propertyNames())
        .containsExactly("version", "delegation", "hierarchies");
    assertThat(json.get("features").propertyNames())
        .contains("cgroup.kill", "clone-into-cgroup", "pidfd", "freeze", "memory.peak", "psi");
    for (JsonNode hierarchy : json.get("cgroup").get("hierarchies")) {
      assertThat(hierarchy.propertyNames())
          .containsExactly("version", "mount", "root", "writable", "controllers");
    }
  }

  @Test
  void theStatusSaysWhetherACgroupIsToBeHad() {
    assertThat(Call.of("doctor").status()).isEqualTo(Host.probe().available() ? 0 : 1);
    assertThat(Call.of("doctor").out()).contains("mechanism ", "kernel ", "feature ");
  }
}
