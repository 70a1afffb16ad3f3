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
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A user to whom no control group is delegated: what works, and what says that it does not. */
@HostOnly
@Needs({Feature.ROOT, Feature.USER_NAMESPACES})
@Timeout(120)
class UndelegatedTest {
  @TempDir Path folder;
  private List<Path> parts = List.of();
  private Path file = Path.of("/");

  @BeforeEach
  void makeReadable() throws Exception {
    parts = HoldfastProcess.readableParts(folder);
    Path own = Files.createDirectory(folder.resolve("own"));
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxrwxrwx"));
    file = own.resolve("file");
  }

  @Test
  void aLimitIsRefusedWithMechanismReasonAndRemedy() throws Exception {
    HoldfastProcess.Ended ended = run("--memory", "64M", "--", "touch", file.toString());
    assertThat(ended.status()).isEqualTo(125);
    assertThat(ended.err())
        .startsWith("holdfast: cannot limit memory")
        .contains("pid-namespace")
        .contains("/sys/fs/cgroup")
        .contains("--cgroup-root")
        .matches("[^\\n]*: [^\\n]* \\([^\\n]*\\)\\n");
    assertThat(file).doesNotExist();
  }

  @Test
  void withoutLimitsAPidNamespaceServes() throws Exception {
    servesWithoutLimits("pid-namespace", List.of());
  }

  /** A user namespace in which there can be no other one. */
  @Test
  void whereNamespacesAreRefusedProcessGroupsServe() throws Exception {
    List<String> without =
        List.of(
            "unshare",
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            "echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set -all"
                + " --inh-caps -all \"$@\"",
            "sh");
    servesWithoutLimits("process-group", without);

    HoldfastProcess.Ended asked =
        asNobody(without, "run", "--mechanism", "pid-namespace", "--", "touch", file + "2");
    assertThat(asked.status()).isEqualTo(125);
    assertThat(asked.err())
        .startsWith("holdfast: cannot use a pid namespace: ")
        .contains("user.max_user_namespaces")
        .matches("[^\\n]*: [^\\n]* \\([^\\n]*\\)\\n");
    assertThat(Path.of(file + "2")).doesNotExist();

    JsonNode host = new JsonMapper().readTree(asNobody(without, "doctor", "--json").out());
    assertThat(host.get("mechanism").asString()).isEqualTo("process-group");
    assertThat(host.get("reason").asString()).contains("user.max_user_namespaces is 0");
    assertThat(asNobody(without, "doctor").out()).contains("caveat").contains("has escaped");
    assertThat(host.at("/features/pid-namespace").asBoolean()).isFalse();
  }

  /** Its user namespace knows nobody else. */
  @Test
  void anotherUserIsRefused() throws Exception {
    HoldfastProcess.Ended ended = run("--user", "1234:1234", "--", "touch", file.toString());
    assertThat(ended.status()).isEqualTo(125);
    assertThat(ended.err()).startsWith("holdfast: cannot start as another user with pid-namespace");
    assertThat(file).doesNotExist();
  }

  /** As {@code sudo -u nobody} in one's own home, and to whoever started a program otherwise. */
  @Test
  void aDirectoryThatNoPathLeadsToIsInherited() throws Exception {
    Path closed = closed();
    HoldfastProcess.Ended ended =
        asNobody(closed, List.of(), "run", "--mechanism", "process-group", "--", "touch", "here");
    assertThat(ended.status()).as(ended.err()).isZero();
    assertThat(closed.resolve("here")).exists();

    // A pid namespace has a /proc of its own, and so mounts of its own: into those a path leads.
    HoldfastProcess.Ended entering =
        asNobody(closed, List.of(), "run", "--", "touch", file.toString());
    assertThat(entering.status()).isEqualTo(125);
    assertThat(entering.err())
        .startsWith("holdfast: cannot start touch: changing to the directory: EACCES")
        .contains("give a directory that exists and may be entered");
    assertThat(file).doesNotExist();
    ended = asNobody(closed, List.of(), "run", "--cwd", "/", "--", "touch", file.toString());
    assertThat(ended.status()).as(ended.err()).isZero();
    assertThat(file).exists();
  }

  /** All may do anything in it, but only root may come to it. */
  private Path closed() throws IOException {
    Path inner = Files.createDirectories(folder.resolve("closed/inner"));
    Files.setPosixFilePermissions(inner, PosixFilePermissions.fromString("rwxrwxrwx"));
    Files.setPosixFilePermissions(inner.getParent(), PosixFilePermissions.fromString("rwx------"));
    return inner;
  }

  private void servesWithoutLimits(String mechanism, List<String> where) throws Exception {
    HoldfastProcess.Ended ended =
        asNobody(
            where,
            "run",
            "--report",
            "json",
            "--",
            "sh",
            "-c",
            "touch \"$0\"; exit 3",
            file.toString());
    assertThat(ended.status()).as(ended.err()).isEqualTo(3);
    JsonNode report = new JsonMapper().readTree(ended.err());
    assertThat(report.get("mechanism").asString()).isEqualTo(mechanism);
    assertThat(report.get("cgroup").isNull()).isTrue();
    assertThat(report.get("exitCode").asInt()).isEqualTo(3);
    assertThat(report.at("/memory/peakBytes").isNull()).as("absent, not 0").isTrue();
    assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(65534);
  }

  @Test
  void aCgroupThatWasAskedForIsRefused() throws Exception {
    HoldfastProcess.Ended ended = run("--mechanism", "cgroup", "--", "touch", file.toString());
    assertThat(ended.status()).isEqualTo(125);
    assertThat(ended.err())
        .startsWith("holdfast: cannot use a cgroup: /sys/fs/cgroup")
        .contains("--cgroup-root");
    assertThat(file).doesNotExist();
  }

  @Test
  void theBestEffortRunsAndReports() throws Exception {
    HoldfastProcess.Ended ended =
        run(
            "--memory",
            "64M",
            "--enforce",
            "best-effort",
            "--report",
            "json",
            "--",
            "touch",
            file.toString());
    assertThat(ended.status()).isZero();
    assertThat(file).exists();
    JsonNode limit = new JsonMapper().readTree(ended.err()).at("/limits/0");
    assertThat(limit.get("limit").asString()).isEqualTo("memory");
    assertThat(limit.get("requested").asString()).isEqualTo("64M");
    assertThat(limit.get("status").asString()).isEqualTo("unenforced");
    assertThat(limit.get("effective").isNull()).isTrue();
    assertThat(limit.get("reason").asString()).contains("/sys/fs/cgroup");
  }

  @Test
  void theBestEffortLimitsProcessesInstead() throws Exception {
    String program =
        "$|=1; for (1..500) { $p = fork; last unless defined $p; if (!$p) { sleep 1000; exit } $f++ }"
            + " print $f, ' ', $!+0, qq(\n); $n = 300000000; $x = 'a' x $n; print 'got it'";
    HoldfastProcess.Ended ended =
        run(
            "--memory",
            "64M",
            "--pids",
            "20",
            "--cpus",
            "1",
            "--enforce",
            "best-effort",
            "--report",
            "json",
            "--",
            "sh",
            "-c",
            "ulimit -v; exec perl -e \"$0\" 2>/dev/null",
            program);
    // Its own namespace's tasks alone count, whatever else the user has: itself, and one or two of
    // ours.
    assertThat(ended.out()).matches("65536\n(19|20) 11");
    JsonNode limits = new JsonMapper().readTree(ended.err()).get("limits");
    assertThat(limits.size()).isEqualTo(3);
    assertThat(limits.at("/0/by").asString()).isEqualTo("RLIMIT_AS");
    assertThat(limits.at("/1/by").isNull()).isTrue();
    assertThat(limits.at("/2/by").asString()).isEqualTo("RLIMIT_NPROC");
    assertThat(limits)
        .allSatisfy(limit -> {
          assertThat(limit.get("status").asString()).isEqualTo("unenforced");
          assertThat(limit.get("effective").isNull()).isTrue();
          assertThat(limit.get("evidence").asString()).isEqualTo("unknown");
          assertThat(limit.get("reason").asString()).contains("/sys/fs/cgroup");
        });
  }

  @Test
  void doctorSaysSo() throws Exception {
    HoldfastProcess.Ended ended = asNobody("doctor", "--json");
    assertThat(ended.status()).isEqualTo(1);
    JsonNode host = new JsonMapper().readTree(ended.out());
    assertThat(host.get("available").asBoolean()).isFalse();
    assertThat(host.get("mechanism").asString()).isEqualTo("pid-namespace");
    assertThat(host.at("/features/pid-namespace").asBoolean()).isTrue();
    assertThat(host.get("reason").isNull()).isFalse();
    assertThat(host.get("remedy").isNull()).isFalse();
  }

  private HoldfastProcess.Ended run(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("run"));
    all.addAll(List.of(arguments));
    return asNobody(all.toArray(String[]::new));
  }

  private HoldfastProcess.Ended asNobody(String... arguments) throws Exception {
    return asNobody(List.of(), arguments);
  }

  private HoldfastProcess.Ended asNobody(List<String> where, String... arguments) throws Exception {
    return asNobody(folder, where, arguments);
  }

  private HoldfastProcess.Ended asNobody(Path directory, List<String> where, String... arguments)
      throws Exception {
    List<String> words =
        new ArrayList<>(List.of("sh", "-c", "cd \"$0\" && exec \"$@\"", directory.toString()));
    words.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    words.addAll(where);
    words.addAll(HoldfastProcess.words(parts, arguments));
    return HoldfastProcess.await(HoldfastProcess.start(words));
  }
}
