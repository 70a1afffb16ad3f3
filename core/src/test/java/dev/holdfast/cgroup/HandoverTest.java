package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A group that was given to another user is his, and keeps him in. */
@EveryKernel
@Needs(Feature.ROOT)
@Timeout(120)
class HandoverTest {
  private static final int USER = 1234;
  private static final int GROUP = 4321;

  private Cgroup group;

  @BeforeEach
  void make() throws Exception {
    group = LivePlaces.make();
  }

  @AfterEach
  void clean() throws Exception {
    List<Path> directories = LiveCgroupTest.directories(group);
    group.close();
    // What he made in it went with it.
    assertThat(directories).isNotEmpty().allSatisfy(path -> assertThat(path).doesNotExist());
  }

  @Test
  void hisIsWhatTheKernelListsAndNoMore() throws Exception {
    group.delegateTo(USER, GROUP);
    for (Path directory : LiveCgroupTest.directories(group)) {
      boolean unified = directory.equals(group.unifiedDirectory().orElse(null));
      assertThat(owner(directory)).isEqualTo(USER + ":" + GROUP);
      List<String> his = new ArrayList<>();
      List<String> roots = new ArrayList<>();
      try (var files = Files.newDirectoryStream(directory)) {
        for (Path file : files) {
          (owner(file).equals(USER + ":" + GROUP) ? his : roots)
              .add(String.valueOf(file.getFileName()));
        }
      }
      if (unified) {
        assertThat(his).contains("cgroup.procs", "cgroup.threads", "cgroup.subtree_control");
        assertThat(Files.readAllLines(Path.of("/sys/kernel/cgroup/delegate"))).containsAll(his);
        assertThat(roots).contains("cgroup.events", "cgroup.type");
      } else {
        assertThat(his).containsExactlyInAnyOrder("tasks", "cgroup.procs");
        assertThat(roots).contains("notify_on_release");
      }
    }
  }

  @Test
  void heMakesGroupsWithControllersOfHisOwn() throws Exception {
    assumeFalse(group.unifiedDirectory().isEmpty(), "v1 has no controllers to enable");
    Path directory = group.unifiedDirectory().orElseThrow();
    List<String> offered = words(directory.resolve("cgroup.controllers"));
    offered.retainAll(List.of("memory", "pids", "hugetlb"));
    StringBuilder script = new StringBuilder("mkdir a b; echo $$ >a/cgroup.procs\n");
    for (String controller : offered) {
      script.append("echo +").append(controller).append(" >cgroup.subtree_control\n");
    }
    if (offered.contains("pids")) {
      script.append("echo 7 >b/pids.max\n");
    }
    assertThat(asUser(directory, script + "echo end")).contains("Permission denied");
    assertThat(words(directory.resolve("cgroup.subtree_control"))).isEmpty();
    group.delegateTo(USER, GROUP);
    assertThat(asUser(directory, script + "echo end")).isEqualTo("end");
    assertThat(words(directory.resolve("cgroup.subtree_control")))
        .containsExactlyInAnyOrderElementsOf(offered);
    assertThat(owner(directory.resolve("b/cgroup.procs"))).startsWith(USER + ":");
    if (offered.contains("pids")) {
      assertThat(Files.readString(directory.resolve("b/pids.max"))).isEqualTo("7\n");
    }
  }

  @Test
  void heDoesNotChangeTheLimitsOfTheGroupItself() throws Exception {
    group.apply(Limits.builder().memory("64M").pids(40).build(), true);
    group.delegateTo(USER, GROUP);
    int tried = 0;
    for (Path directory : LiveCgroupTest.directories(group)) {
      for (String file : List.of("memory.max", "memory.limit_in_bytes", "pids.max")) {
        Path limit = directory.resolve(file);
        if (Files.exists(limit)) {
          String before = Files.readString(limit);
          assertThat(asUser(directory, "echo 1000000000 >" + file)).contains("Permission denied");
          assertThat(Files.readString(limit)).isEqualTo(before).isNotEqualTo("max\n");
          tried++;
        }
      }
    }
    assertThat(tried).as("limits tried").isPositive();
  }

  @Test
  void hisProcessesStayInside() throws Exception {
    assumeFalse(group.unifiedDirectory().isEmpty(), "v1 does not keep them in");
    group.delegateTo(USER, GROUP);
    Path directory = group.unifiedDirectory().orElseThrow();
    Path outside = directory.getParent().resolve("cgroup.procs");
    assertThat(asUser(directory, "mkdir c; echo $$ >" + outside + "; echo $$ >c/cgroup.procs"))
        .contains("Permission denied")
        .doesNotContain("c/cgroup.procs");
  }

  /** What a shell of the user's prints that was put into the group. */
  private String asUser(Path directory, String script) throws Exception {
    Process shell =
        new ProcessBuilder(
                "setpriv",
                "--reuid=" + USER,
                "--regid=" + GROUP,
                "--clear-groups",
                "sh",
                "-c",
                "read go; cd '" + directory + "'\n" + script)
            .redirectErrorStream(true)
            .start();
    group.attach(shell.pid());
    try (var input = shell.outputWriter(StandardCharsets.UTF_8)) {
      input.write("go\n");
    }
    String printed = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    shell.waitFor();
    return printed.strip();
  }

  private static String owner(Path path) throws Exception {
    return Files.getAttribute(path, "unix:uid") + ":" + Files.getAttribute(path, "unix:gid");
  }

  private static List<String> words(Path file) throws Exception {
    List<String> words = new ArrayList<>(List.of(Files.readString(file).strip().split(" ", -1)));
    words.remove("");
    return words;
  }
}
