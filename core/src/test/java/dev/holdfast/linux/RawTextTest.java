package dev.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RawTextTest {
  @Test
  void anyBytesComeBack() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(12)];
      random.nextBytes(bytes);
      String text = RawText.text(bytes);
      assertThat(RawText.bytes(text)).as("seed %d, round %d", seed, i).isEqualTo(bytes);
    }
  }

  @Test
  void textIsUtf8AndOtherBytesAreLoneSurrogates() {
    assertThat(RawText.text(new byte[] {'a', (byte) 0xE9, 'b', (byte) 0xC3, (byte) 0xBC}))
        .isEqualTo("a\uDCE9bü");
    assertThat(RawText.bytes("𝄞")).isEqualTo("𝄞".getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "",
        ".",
        "a",
        "/a/b",
        "../a",
        "a?b",
        "/ü",
        "ü",
        "../ü/..",
        "/a b/\uDCE9",
        "\uDCE9",
        "/ü%20#",
        "../%\uDCFF"
      })
  void aPathHasTheBytesOfItsText(String text) {
    Path path = RawText.path(text);
    assertThat(RawText.bytes(path)).isEqualTo(RawText.bytes(text));
    assertThat(RawText.text(path)).isEqualTo(text);
    assertThat(path.isAbsolute()).isEqualTo(text.startsWith("/"));
  }

  @Test
  void slashesAreNotDoubled() {
    assertThat(RawText.text(RawText.path("//ü//b/"))).isEqualTo("/ü/b");
    assertThat(RawText.text(RawText.path("ü//b/"))).isEqualTo("ü/b");
  }

  @Test
  void theKernelFindsIt(@TempDir Path folder) throws Exception {
    Path odd = folder.resolve(RawText.path("\uDCE9 ü"));
    Files.createDirectory(odd);
    try (Directory directory = Directory.open(folder);
        Directory same = Directory.open(odd)) {
      assertThat(directory.subdirectories()).containsExactly("\uDCE9 ü");
      assertThat(RawText.text(same.path())).endsWith("/\uDCE9 ü");
      // Java says that it is a directory by a slash, which is none of the name.
      assertThat(RawText.bytes(odd)).endsWith("\u00fc".getBytes(StandardCharsets.UTF_8));
      directory.remove("\uDCE9 ü");
    }
    assertThat(odd).doesNotExist();
  }

  @Test
  void aNulIsInNoPath() {
    assertThatThrownBy(() -> RawText.path("ü\0")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> RawText.path("a\0")).isInstanceOf(IllegalArgumentException.class);
  }
}
