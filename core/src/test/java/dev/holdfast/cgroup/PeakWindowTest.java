package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.linux.FaultMatrix;
import dev.holdfast.testing.OpenFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In a folder that poses as a group: the kernel has this since Linux 6.12. */
class PeakWindowTest {
  @TempDir Path temp;

  /** The kernel knows a window by its open file. */
  @Test
  void isReadThroughTheFileThatWasReset() throws Exception {
    Path before = temp.resolve("before");
    try (FakeGroup group = FakeGroup.v2(temp).files(PeakWindow.MEMORY);
        PeakWindow window = PeakWindow.open(group.directory, PeakWindow.MEMORY)) {
      assertThat(group.read(PeakWindow.MEMORY)).isEqualTo("reset");
      Files.move(temp.resolve(PeakWindow.MEMORY), before);
      group.with(PeakWindow.MEMORY, "5\n");
      Files.writeString(before, "4096\n");
      assertThat(window.bytes()).hasValue(4096);
      Files.writeString(before, "");
      window.reset();
      assertThat(Files.readString(before)).endsWith("reset");
      assertThat(group.read(PeakWindow.MEMORY)).isEqualTo("5\n");
    }
  }

  @Test
  void whatTheKernelDoesNotTellIsAbsent() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).forgetful(PeakWindow.MEMORY);
        PeakWindow window = PeakWindow.open(group.directory, PeakWindow.MEMORY)) {
      assertThat(window.bytes()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PeakWindow.MEMORY, PeakWindow.SWAP})
  void everyWriteFailing(String file) throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files(file);
        PeakWindow window = PeakWindow.open(group.directory, file)) {
      assertThat(opened(file)).isEqualTo(1);
      FaultMatrix matrix = new FaultMatrix();
      matrix.run(
          attempts -> {
            attempts.attempt(window::reset);
            attempts.attempt(() -> PeakWindow.open(group.directory, file).close());
          },
          fault -> assertThat(opened(file)).isEqualTo(1));
      assertThat(matrix.silentBut(List.of())).isEmpty();
    }
  }

  /** How many descriptors of this process are of it. */
  private long opened(String file) throws IOException {
    return OpenFiles.targets().stream().filter(temp.resolve(file)::equals).count();
  }
}
