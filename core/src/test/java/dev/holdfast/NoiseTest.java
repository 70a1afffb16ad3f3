package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a machine's own files say of how steady its figures are. */
class NoiseTest {
  private static final String SWAPS = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

  @TempDir Path root;

  @ParameterizedTest
  @CsvSource({
    "sys/devices/system/cpu/smt/active, 1, 0, (SMT)",
    "sys/devices/system/cpu/cpufreq/policy3/scaling_governor, schedutil, performance, schedutil",
    "sys/devices/system/cpu/cpufreq/policy3/scaling_governor, ondemand, powersave, ondemand",
    "sys/devices/system/cpu/intel_pstate/no_turbo, 0, 1, (turbo)",
    "sys/devices/system/cpu/cpufreq/boost, 1, 0, (turbo)",
    "proc/sys/kernel/randomize_va_space, 2, 0, (ASLR)"
  })
  void eachSwitch(String file, String noisy, String quiet, String said) throws Exception {
    assertThat(Noise.find(root)).as("of nothing nothing is known").isEmpty();
    write(file, quiet + "\n");
    assertThat(Noise.find(root)).isEmpty();
    write(file, noisy + "\n");
    assertThat(Noise.find(root))
        .singleElement()
        .satisfies(noise -> {
          assertThat(noise.reason()).contains(said);
          assertThat(noise.remedy()).isNotBlank();
        });
  }

  @Test
  void swap() throws Exception {
    write("proc/swaps", SWAPS);
    assertThat(Noise.find(root)).isEmpty();
    write("proc/swaps", SWAPS + "/dev/zram0  partition\t1048572\t\t0\t\t100\n");
    assertThat(Noise.find(root))
        .extracting(Noise::remedy)
        .singleElement()
        .asString()
        .contains("--memory");
  }

  /** Processors that differ are named once each. */
  @Test
  void governors() throws Exception {
    for (String policy : new String[] {"policy0", "policy1", "policy2", "policy3"}) {
      write(
          "sys/devices/system/cpu/cpufreq/" + policy + "/scaling_governor",
          policy.equals("policy2")
              ? "schedutil"
              : policy.equals("policy0") ? "performance" : "ondemand");
    }
    assertThat(Noise.find(root))
        .singleElement()
        .satisfies(noise -> assertThat(noise.reason()).contains("(governor ondemand, schedutil)"));
  }

  @Test
  void powersaveOfADriverThatFollowsTheLoad() throws Exception {
    write("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n");
    write("sys/devices/system/cpu/cpufreq/policy0/scaling_driver", "intel_pstate\n");
    assertThat(Noise.find(root))
        .singleElement()
        .satisfies(noise -> assertThat(noise.reason()).contains("(governor powersave)"));
  }

  @Test
  void ofThisMachineAddresses() throws Exception {
    String mode = Files.readString(Path.of("/proc/sys/kernel/randomize_va_space")).strip();
    assertThat(Host.probe().noise().stream().anyMatch(noise -> noise.reason().contains("(ASLR)")))
        .isEqualTo(!mode.equals("0"));
  }

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
