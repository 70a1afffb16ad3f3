package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.linux.Faults;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PressureTriggerTest {
  @TempDir Path temp;

  @Test
  void withoutPsi() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp)) {
      assertThatThrownBy(() -> open(group, Duration.ofSeconds(2)))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("memory.pressure: ENOENT (use a kernel with CONFIG_PSI");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "95|2000|EOPNOTSUPP (boot with psi=1",
        "22|1000|EINVAL (give a window of a multiple of 2 s",
        "1|4000|EPERM (run as root",
      })
  void refused(int errno, long window, String message) throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("memory.pressure");
        Faults faults = Faults.failing(new Faults.Site("write", "memory.pressure"), errno)) {
      assertThatThrownBy(() -> open(group, Duration.ofMillis(window)))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining(message);
    }
  }

  private static void open(FakeGroup group, Duration window) throws Exception {
    PressureTrigger.open(
            group.directory, PressureKind.MEMORY, false, Duration.ofMillis(1), window, () -> {})
        .close();
  }
}
