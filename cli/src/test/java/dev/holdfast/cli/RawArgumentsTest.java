package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RawArgumentsTest {
  @TempDir Path folder;

  private Path cmdline(byte[]... words) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] word : words) {
      bytes.writeBytes(word);
      bytes.write(0);
    }
    return Files.write(folder.resolve("cmdline"), bytes.toByteArray());
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void theKernelsBytesReplaceWhatTheLocaleMadeOfThem() throws IOException {
    Path cmdline = cmdline(utf8("java"), utf8("-cp"), utf8("x"), utf8("Main"), utf8("grüße 漢"));

    assertThat(RawArguments.recover(new String[] {"gr??e ?"}, cmdline)).containsExactly("grüße 漢");
  }

  @Test
  void bytesThatAreNoTextSurvive() throws IOException {
    Path cmdline =
        cmdline(utf8("java"), new byte[] {'a', (byte) 0xE9, 'b', (byte) 0xC3, (byte) 0xBC});

    assertThat(RawArguments.recover(new String[] {"a?b??"}, cmdline)).containsExactly("a\uDCE9bü");
  }

  @Test
  void anotherProgramsArgumentsAreNotTaken() throws IOException {
    Path cmdline = cmdline(utf8("java"), utf8("other"), utf8("ü"));

    assertThat(RawArguments.recover(new String[] {"mine", "?"}, cmdline))
        .containsExactly("mine", "?");
    assertThat(RawArguments.recover(new String[] {"?"}, folder.resolve("absent")))
        .containsExactly("?");
  }
}
