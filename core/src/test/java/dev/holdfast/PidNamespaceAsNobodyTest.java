package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.SlowInQemu;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same tests, in a JVM of a user who has no privilege and no cgroup. In QEMU the user's pass
 * runs them anyway.
 */
@EveryKernel
@SlowInQemu
@Needs({Feature.ROOT, Feature.USER_NAMESPACES})
@Timeout(600)
class PidNamespaceAsNobodyTest {
  private static final String LAUNCHER = "org.junit.platform.console.ConsoleLauncher";

  @TempDir Path folder;

  @Test
  void allOfThemPass() throws Exception {
    Path log = folder.resolve("log");
    List<String> words =
        new ArrayList<>(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            ClassPath.readableToAll(folder),
            LAUNCHER,
            "execute",
            "--disable-banner",
            "--disable-ansi-colors",
            "--details=summary",
            "--fail-if-no-tests"));
    for (Class<?> one : List.of(PidNamespaceTest.class, PidNamespaceOrphanTest.class)) {
      words.add("--select-class=" + one.getName());
    }
    Process tests =
        new ProcessBuilder(words)
            .directory(new File("/"))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    int status = tests.waitFor();
    String text = Files.readString(log);
    assertThat(status).as(text).isZero();
    assertThat(text).containsPattern("\\[ +0 tests skipped").containsPattern("[1-9]\\d tests succ");
  }
}
