package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.HostOnly;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Without enough descriptors a run works, or fails with one line in the usual form. */
@HostOnly
@Timeout(120)
class FewDescriptorsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {28, 32, 36, 40, 44, 48, 52, 56, 60})
  void oneLineSaysWhatIsMissing(int descriptors) throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of("sh", "-c", "ulimit -n \"$0\"; exec \"$@\"", Integer.toString(descriptors)));
    words.addAll(HoldfastProcess.words(HoldfastProcess.parts(), "run", "--memory", "64M", "true"));
    HoldfastProcess.Ended ended = HoldfastProcess.await(HoldfastProcess.start(words));
    assertThat(ended.out()).isEmpty();
    if (ended.status() == 0) {
      assertThat(ended.err()).isEmpty();
    } else {
      assertThat(ended.status()).isEqualTo(125);
      assertThat(ended.err()).matches("holdfast: [^\n]+: [^\n]+ \\([^\n]+\\)\n");
    }
  }
}
