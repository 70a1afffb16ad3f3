package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Tool;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path program = folder.resolve("set-user-id");
    Files.copy(Path.of("/usr/bin/id"), program);
    Tool.run("chmod", "4755", program.toString());
    Path file = Files.writeString(folder.resolve("group-file"), "readable");
    Tool.run("chown", "0:4711", file.toString());
    Tool.run("chmod", "0040", file.toString());
    List<String> words =
        new ArrayList<>(List.of("setpriv", "--reuid=65534", "--regid=65534", "--groups=4711"));
    words.addAll(Jvm.java());
    words.add("-Ddev.holdfast.set-user-id=" + program);
    words.add("-Ddev.holdfast.group-file=" + file);
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
        List.of(
            PidNamespaceTest.class,
            PidNamespaceBoundsTest.class,
            PidNamespaceEndTest.class,
            PidNamespaceOrphanTest.class)) {
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
    // The one that only root can do.
    assertThat(text).containsPattern("\\[ +1 tests skipped").containsPattern("[1-9]\\d tests succ");
  }
}
