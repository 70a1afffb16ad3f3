package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Where a JDK is looked for, and in which order; folders that look like JDKs pose as some. */
@HostOnly
@Timeout(60)
class FindJdkTest {
  @TempDir Path folder;
  private Path tools = Path.of("/");

  /** A PATH with what the script needs, and no javac. */
  @BeforeEach
  void makePath() throws IOException {
    tools = Installed.tools(folder.resolve("tools"), "sh", "sed", "readlink", "unshare", "mount");
  }

  @Test
  void whatIsNamedForUsComesFirst() throws Exception {
    Path own = jdk("own", "25.0.1");
    Path other = jdk("other", "26");
    assertThat(find("HOLDFAST_JAVA_HOME=" + own, "JAVA_HOME=" + other, path(other)))
        .isEqualTo(new HoldfastProcess.Ended(0, own.toString(), ""));
  }

  @Test
  void whatIsNamedForUsMustSuit() throws Exception {
    Path old = jdk("old", "17.0.2");
    HoldfastProcess.Ended ended =
        find("HOLDFAST_JAVA_HOME=" + old, "JAVA_HOME=" + jdk("other", "25"));
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.out()).isEmpty();
    assertThat(ended.err()).contains(old.toString()).matches("holdfast: [^\n]+ \\([^\n]+\\)\n");
  }

  @Test
  void thenJavaHomeThenThePath() throws Exception {
    Path home = jdk("home", "25");
    Path onPath = jdk("on-path", "25.0.3-ea");
    assertThat(find("JAVA_HOME=" + home, path(onPath)).out()).isEqualTo(home.toString());
    assertThat(find("JAVA_HOME=" + jdk("old", "17"), path(onPath)).out())
        .isEqualTo(onPath.toString());
    assertThat(find(path(onPath)).out()).isEqualTo(onPath.toString());
  }

  @Test
  void aLinkOnThePathLeadsToItsJdk() throws Exception {
    Path home = jdk("home", "25");
    Files.createSymbolicLink(tools.resolve("javac"), home.resolve("bin/javac"));
    assertThat(find().out()).isEqualTo(home.toString());
  }

  @Test
  @Needs(Feature.ROOT)
  void thenTheDistributionsFolder() throws Exception {
    Path old = jdk("old", "17");
    Path jvms = Files.createDirectory(folder.resolve("jvms"));
    Files.move(jdk("java-17", "17"), jvms.resolve("java-17"));
    Files.move(jdk("java-25", "25"), jvms.resolve("java-25"));
    assertThat(findWith("mount --bind " + jvms + " /usr/lib/jvm", "JAVA_HOME=" + old, path(old)))
        .isEqualTo(new HoldfastProcess.Ended(0, "/usr/lib/jvm/java-25", ""));
  }

  @Test
  @Needs(Feature.ROOT)
  void whereThereIsNoneItSaysWhatToInstall() throws Exception {
    Path old = jdk("old", "17");
    HoldfastProcess.Ended ended =
        findWith("mount -t tmpfs none /usr/lib/jvm", "JAVA_HOME=" + old, path(old));
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.out()).isEmpty();
    assertThat(ended.err())
        .contains("25", "openjdk-25-jdk", "JAVA_HOME")
        .matches("holdfast: [^\n]+ \\([^\n]+\\)\n");
  }

  private Path jdk(String name, String version) throws IOException {
    Path home = folder.resolve(name);
    Path compiler = Files.createDirectories(home.resolve("bin")).resolve("javac");
    Files.writeString(compiler, "#!/bin/sh\n");
    Files.setPosixFilePermissions(compiler, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.writeString(
        home.resolve("release"),
        "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\nOS_NAME=\"Linux\"\n");
    return home;
  }

  private String path(Path home) {
    return "PATH=" + home.resolve("bin") + ":" + tools;
  }

  private HoldfastProcess.Ended find(String... variables) throws Exception {
    return run(variables, HoldfastProcess.root().resolve("scripts/find-jdk").toString());
  }

  /** In a mount namespace of its own, where {@code mount} hides what the machine has. */
  private HoldfastProcess.Ended findWith(String mount, String... variables) throws Exception {
    return run(
        variables,
        "unshare",
        "--mount",
        "sh",
        "-c",
        mount + " && exec \"$0\"",
        HoldfastProcess.root().resolve("scripts/find-jdk").toString());
  }

  private HoldfastProcess.Ended run(String[] variables, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("/usr/bin/env", "-i", "PATH=" + tools));
    all.addAll(List.of(variables));
    all.addAll(List.of(words));
    return HoldfastProcess.await(HoldfastProcess.start(all));
  }
}
