package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.Outcome;
import dev.holdfast.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExamplesTest {
  /** Without any limit, which not every machine could hold. */
  @Test
  void itRuns(@TempDir Path bundle) throws Exception {
    assumeTrue(Files.exists(Path.of("/usr/bin/make")), "no make here");
    Files.writeString(bundle.resolve("Makefile"), "all:\n\tulimit -n > made\n");
    Files.writeString(
        bundle.resolve("config.json"),
        """
        {"ociVersion": "1.2.0", "process": {"rlimits":
            [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 100}]}}
        """);
    Result result = Examples.run(bundle);
    assertThat(result.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(bundle.resolve("made")).content().isEqualTo("100\n");
  }
}
