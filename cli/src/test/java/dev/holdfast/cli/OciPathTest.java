package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The file of {@code --oci} is found whatever its name, in the POSIX locale too. */
@EveryKernel
@Timeout(120)
class OciPathTest {
  private static final String MAKE =
      "d=$PWD/$(printf 'd\\303\\274\\351'); mkdir \"$d\"; echo '{\"ociVersion\":\"1.0.2\"}' >\"$d/c\"; ";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"--oci \"$d/c\"", "--oci \"${d##*/}/c\""})
  void theFileIsRead(String option) throws Exception {
    HoldfastProcess.Ended ended =
        HoldfastProcess.runInPosixLocale(
            folder, MAKE + "exec \"$@\" run " + option + " -- sh -c 'exit 5'");
    assertThat(ended.err()).isEmpty();
    assertThat(ended.status()).isEqualTo(5);
  }
}
