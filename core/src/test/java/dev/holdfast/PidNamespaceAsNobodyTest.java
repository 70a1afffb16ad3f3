package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Needs;
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
@HostOnly
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
    words.addAll(Jvm.java());
    words.addAll(
        List.of(
            "-cp",
            ClassPath.readableToAll(folder),
            LAUNCHER,
            "execute",
            "--disable-banner",
            "--disable-ansi-colors",
            "--details=summary",
            "--fail-if-no-tests"));
    for (Class<?> one :
        List.of(PidNamespaceTest.class, PidNamespaceEndTest.class, PidNamespaceOrphanTest.class)) {
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
