package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.HostOnly;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who does not ask for {@code --oci} does not pay for it. */
@HostOnly
@Timeout(60)
class OciClassesTest {
  @TempDir Path folder;

  @Test
  void areLoadedOnlyWhenAskedFor() throws Exception {
    Path config = Files.writeString(folder.resolve("c"), "{\"ociVersion\":\"1.0.2\"}");
    assertThat(loaded("run", "--oci", config.toString(), "--", "true"))
        .anyMatch(line -> line.contains(" dev.holdfast.oci.OciSpec "));
    assertThat(loaded("run", "--", "true"))
        .anyMatch(line -> line.contains(" dev.holdfast.cli.RunRequest "))
        .noneMatch(line -> line.contains(" dev.holdfast.oci.") || line.contains(" tools.jackson."));
  }

  private List<String> loaded(String... arguments) throws IOException, InterruptedException {
    Path log = folder.resolve("log");
    List<String> words =
        new ArrayList<>(HoldfastProcess.words(HoldfastProcess.classes(), arguments));
    words.add(1, "-Xlog:class+load:file=" + log);
    HoldfastProcess.Ended ended = HoldfastProcess.await(HoldfastProcess.start(words));
    assertThat(ended.status()).as(ended.err()).isZero();
    return Files.readAllLines(log);
  }
}
