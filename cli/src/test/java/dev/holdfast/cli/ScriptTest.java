package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.HostOnly;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./holdfast} in a fresh copy of the sources, from the first call on. */
@HostOnly
@Timeout(600)
class ScriptTest {
  @TempDir Path folder;

  @Test
  void theFirstCallBuildsAndTheSecondNeedsNoMaven() throws Exception {
    Path copy = Files.createDirectory(folder.resolve("copy"));
    ended(
        List.of(
            "sh",
            "-c",
            "tar -C \"$0\" --exclude=./.git --exclude=./.build --exclude=target -cf - . | tar -C"
                + " \"$1\" -xf -",
            HoldfastProcess.root().toString(),
            copy.toString()));
    String script = copy.resolve("holdfast").toString();

    HoldfastProcess.Ended first =
        ended(List.of(script, "run", "--", "sh", "-c", "echo hello; exit 3"));
    assertThat(first.status()).as(first.err()).isEqualTo(3);
    assertThat(first.out()).isEqualTo("hello");
    assertThat(first.err()).matches("holdfast: building the command, once [^\n]+\n");

    // A PATH with nothing on it that could build.
    Path tools = Installed.tools(folder.resolve("tools"), "sh", "sed", "readlink", "find");
    String home = "JAVA_HOME=" + Files.readAllLines(copy.resolve(".build/ready")).get(1);
    List<String> bare = List.of("/usr/bin/env", "-i", "PATH=" + tools, home, script, "run", "--");
    HoldfastProcess.Ended second = ended(with(bare, "sh", "-c", "echo again; exit 4"));
    assertThat(second).isEqualTo(new HoldfastProcess.Ended(4, "again", ""));
    assertThat(ended(with(bare, "mvn")).status()).as("there is no mvn on that PATH").isEqualTo(127);

    HoldfastProcess.Ended few =
        ended(List.of("sh", "-c", "ulimit -n 16; exec \"$0\" run -- true", script));
    assertThat(few.status()).isEqualTo(125);
    assertThat(few.out()).isEmpty();
    assertThat(few.err())
        .contains("16 open files", "ulimit -n 64")
        .matches("holdfast: [^\n]+: [^\n]+ \\([^\n]+\\)\n");
    HoldfastProcess.Ended least =
        ended(
            List.of(
                "sh", "-c", "ulimit -n 64; exec \"$0\" run --memory 64M --pids 9 -- true", script));
    assertThat(least).isEqualTo(new HoldfastProcess.Ended(0, "", ""));
  }

  private static HoldfastProcess.Ended ended(List<String> words) throws Exception {
    return HoldfastProcess.await(HoldfastProcess.start(words));
  }

  private static List<String> with(List<String> words, String... more) {
    List<String> all = new ArrayList<>(words);
    all.addAll(List.of(more));
    return all;
  }
}
