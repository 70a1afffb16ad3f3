package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A limit whose controller is not there. */
class ControllersTest {
  private static final Map<String, Absence> ABSENCES =
      Map.of("memory", new Absence("the memory controller is away", "call it back"));
  private static final Limits LIMITS = Limits.builder().memory("64M").build();

  @Test
  void isRefusedWithMechanismReasonAndRemedy() {
    assertThatThrownBy(() ->
            new Controllers(List.of()).apply(LIMITS, new LimitRows(false, "cgroup-v2"), ABSENCES))
        .isInstanceOf(HoldfastException.class)
        .hasMessage(
            "cannot limit memory to 64M with cgroup-v2: the memory controller is away (call it"
                + " back)");
  }

  @Test
  void isUnenforcedWhenTheBestEffortIsEnough() throws Exception {
    LimitRows rows = new LimitRows(true, "cgroup-v2");
    new Controllers(List.of()).apply(LIMITS, rows, ABSENCES);
    AppliedLimit memory = rows.rows().getFirst();
    assertThat(memory.isEnforced()).isFalse();
    assertThat(memory.effective()).isEqualTo(Optional.empty());
    assertThat(memory.reason()).contains("the memory controller is away");
  }
}
