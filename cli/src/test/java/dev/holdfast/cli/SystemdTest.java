package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Systemd;
import dev.holdfast.testing.Tool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the command says and does wherever systemd may have put it. */
@Systemd
@Needs({Feature.ROOT, Feature.PURE_V2, Feature.SYSTEMD, Feature.MEMORY, Feature.PIDS})
@Timeout(180)
class SystemdTest {
  private static final Path TOP = Path.of("/sys/fs/cgroup");

  @TempDir static Path folder;
  private static Installed installed;

  @RegisterExtension final Marked mark = Marked.fresh();

  /** What doctor says in a place, with its status, and the controllers of the group it was in. */
  private record Seen(JsonNode json, int status, String text, List<String> offered) {}

  private static final Map<SystemdPlace, Seen> SEEN = new EnumMap<>(SystemdPlace.class);

  @BeforeAll
  static void install() throws Exception {
    installed = new Installed(folder);
  }

  @ParameterizedTest
  @EnumSource
  void doctorSaysWhatRunWillDo(SystemdPlace where) throws Exception {
    Seen seen = seen(where);
    JsonNode host = seen.json;
    assertThat(host.at("/cgroup/version").asString()).isEqualTo("v2");
    assertThat(host.at("/cgroup/delegation").asString()).isEqualTo(where.delegation());
    assertThat(host.get("available").asBoolean()).isEqualTo(where.group() != null);
    assertThat(seen.status).isEqualTo(where.group() == null ? 1 : 0);
    assertThat(host.get("reason").isNull()).isEqualTo(where.group() != null);
    assertThat(host.get("remedy").isNull()).isEqualTo(where.group() != null);
    assertThat(seen.text).contains(where.told());
  }

  /** What is offered to a process there is what doctor says, and not what the machine has. */
  @ParameterizedTest
  @EnumSource
  void doctorNamesTheControllersThatAreOursAndTheOthers(SystemdPlace where) throws Exception {
    Seen seen = seen(where);
    List<String> offered = seen.offered;
    List<String> ours = new ArrayList<>();
    for (JsonNode name : seen.json.at("/cgroup/hierarchies/0/controllers")) {
      ours.add(name.asString());
    }
    assertThat(ours).containsExactlyInAnyOrderElementsOf(offered);

    List<String> findings =
        seen.text.lines().filter(line -> line.startsWith("controller ")).toList();
    List<String> missing =
        new ArrayList<>(
            List.of("memory", "cpu", "pids", "io", "cpuset", "hugetlb", "rdma", "misc"));
    missing.removeAll(
        where.delegation().equals("systemd")
            ? List.of(Files.readString(TOP.resolve("cgroup.controllers")).strip().split(" "))
            : offered);
    if (where.group() == null) {
      assertThat(findings).isEmpty();
      return;
    }
    assertThat(findings).hasSameSizeAs(missing);
    for (String controller : missing) {
      assertThat(findings)
          .anyMatch(line -> line.matches("controller +no " + controller + ": .+ \\(.+\\)"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void runDoesWhatCanBeDone(SystemdPlace where) throws Exception {
    HoldfastProcess.Ended run =
        run(
            where,
            "run",
            "--memory",
            "64M",
            "--pids",
            "16",
            "--report",
            "json",
            "--",
            "sh",
            "-c",
            "g=$(cut -d: -f3 /proc/self/cgroup); echo $g; cat /sys/fs/cgroup$g/memory.max"
                + " /sys/fs/cgroup$g/memory.swap.max /sys/fs/cgroup$g/pids.max");
    if (where.group() == null) {
      assertThat(run.status()).isEqualTo(125);
      assertThat(run.err())
          .startsWith("holdfast: cannot limit memory with pid-namespace: ")
          .contains(where.told())
          .contains("--cgroup-root")
          .matches("[^\\n]*: [^\\n]* \\([^\\n]*\\)\\n");
      HoldfastProcess.Ended unlimited =
          run(where, "run", "--report", "json", "--", "sh", "-c", "exit 3");
      assertThat(unlimited.status()).isEqualTo(3);
      assertThat(json(unlimited.err()).get("mechanism").asString()).isEqualTo("pid-namespace");
      return;
    }
    assertThat(run.err().lines()).as(run.err()).hasSize(1);
    assertThat(run.status()).isZero();
    List<String> printed = run.out().lines().toList();
    assertThat(printed.getFirst()).matches(where.group() + "/holdfast-[^/]+/job-1");
    assertThat(printed.subList(1, 4)).containsExactly("67108864", "0", "16");
    JsonNode report = json(run.err());
    assertThat(report.get("mechanism").asString()).isEqualTo("cgroup-v2");
    assertThat(report.at("/cgroup/unified").asString()).isEqualTo(printed.getFirst());
    for (JsonNode limit : report.get("limits")) {
      assertThat(limit.get("status").asString()).isEqualTo("enforced");
    }
    assertThat(report.at("/cleanup/removed").asBoolean()).isTrue();
    if (where.delegation().equals("systemd")) {
      awaitGone(scope(printed.getFirst()));
    }
  }

  @Test
  void aUsersLimitsStandAfterAReload() throws Exception {
    limitsStandAfter("systemctl --user daemon-reload", SystemdPlace.LOGIN_OF_A_USER);
  }

  @Test
  void rootsLimitsStandAfterAReload() throws Exception {
    limitsStandAfter("systemctl daemon-reload", SystemdPlace.LOGIN_OF_ROOT);
  }

  @Test
  void limitsStandAfterAReloadInAUsersService() throws Exception {
    limitsStandAfter("systemctl --user daemon-reload", SystemdPlace.USERS_SERVICE);
  }

  @Test
  void limitsStandAfterAReloadInAUsersDelegatedScope() throws Exception {
    limitsStandAfter("systemctl --user daemon-reload", SystemdPlace.USERS_DELEGATED_SCOPE);
  }

  private void limitsStandAfter(String reload, SystemdPlace where) throws Exception {
    HoldfastProcess.Ended run =
        run(
            where,
            "run",
            "--memory",
            "64M",
            "--pids",
            "16",
            "--report",
            "json",
            "--",
            "sh",
            "-c",
            reload
                + " || exit 9; g=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)"
                + "; cat $g/memory.max $g/pids.max; perl -e '$x = q(a) x 300000000; sleep 100'",
            mark.text());
    assertThat(run.out()).isEqualTo("67108864\n16");
    assertThat(run.status()).as(run.err()).isEqualTo(137);
    assertThat(json(run.err()).get("outcome").asString()).isEqualTo("oom-killed");
  }

  @Test
  void killedItLeavesNothingInTheUsersScope() throws Exception {
    Process login = start(SystemdPlace.LOGIN_OF_A_USER);
    try {
      Path scope = TOP.resolve(scope(Path.of("/proc/" + member() + "/cgroup")).substring(1));
      assertThat(scope).exists();
      kill("dev.holdfast.cli.Main");
      login.waitFor();
      Awaitility.await("the end of the tree")
          .atMost(Duration.ofSeconds(20))
          .until(() -> mark.alive().isEmpty() && !Files.exists(scope));
    } finally {
      login.destroyForcibly();
    }
  }

  @Test
  void aNewKeeperIsBroughtIntoTheUsersScope() throws Exception {
    Process login = start(SystemdPlace.LOGIN_OF_A_USER);
    try {
      Path scope = TOP.resolve(scope(Path.of("/proc/" + member() + "/cgroup")).substring(1));
      Path leaf = scope.resolve("holdfast.leaf/cgroup.procs");
      // One keeps the scope, the other starts children.
      List<String> before = Files.readAllLines(leaf);
      assertThat(before).hasSize(2);
      for (String pid : before) {
        ProcessHandle.of(Long.parseLong(pid)).orElseThrow().destroyForcibly();
      }
      Awaitility.await("another keeper")
          .atMost(Duration.ofSeconds(20))
          .until(() -> {
            List<String> now = Files.readAllLines(leaf);
            return now.size() == 1
                && !before.contains(now.getFirst())
                && holds(now.getFirst(), scope);
          });
      kill("dev.holdfast.cli.Main");
      login.waitFor();
      Awaitility.await("the end of the tree")
          .atMost(Duration.ofSeconds(20))
          .until(() -> mark.alive().isEmpty() && !Files.exists(scope));
    } finally {
      login.destroyForcibly();
    }
  }

  @Test
  void aRunningProcessOfTheSessionCanBeAdopted() throws Exception {
    List<Path> parts = new ArrayList<>(installed.parts());
    List<String> words = new ArrayList<>();
    Path adopter = folder.resolve("adopter");
    Path classes = HoldfastProcess.part(Adopter.class.getName());
    Path copy = Files.createDirectories(folder.resolve("adopter-classes/dev/holdfast/cli"));
    Files.copy(
        classes.resolve("dev/holdfast/cli/SystemdTest$Adopter.class"),
        copy.resolve("SystemdTest$Adopter.class"));
    parts.add(folder.resolve("adopter-classes"));
    words.addAll(HoldfastProcess.words(parts));
    words.removeLast();
    words.add(Adopter.class.getName());
    Installed.script(adopter, words);
    Tool.run("chmod", "-R", "a+rX", folder.resolve("adopter-classes").toString());
    HoldfastProcess.Ended ended =
        await(Installed.login("tester", List.of(adopter.toString(), mark.text())));
    assertThat(ended.err()).isEmpty();
    List<String> printed = ended.out().lines().toList();
    assertThat(printed.get(0)).matches("0::/user\\.slice/user-1000\\.slice/session-.*");
    assertThat(printed.get(1))
        .matches("0::" + SystemdPlace.Group.USER_SCOPE + "/holdfast-[^/]+/job-1");
    assertThat(printed.get(2)).isEqualTo("1 members");
  }

  /** Adopts a process that it started itself, and prints where that was and is. */
  public static final class Adopter {
    public static void main(String[] arguments) throws Exception {
      Process process = new ProcessBuilder("perl", "-e", "sleep 1000", arguments[0]).start();
      Path groups = Path.of("/proc/" + process.pid() + "/cgroup");
      System.out.println(Files.readString(groups).strip());
      try (dev.holdfast.Job job = dev.holdfast.Job.open()) {
        job.adopt(process.toHandle());
        System.out.println(Files.readString(groups).strip());
        System.out.println(job.members().size() + " members");
      }
      process.waitFor();
    }
  }

  private static HoldfastProcess.Ended run(SystemdPlace where, String... arguments)
      throws Exception {
    return await(where.words(installed.words(arguments)));
  }

  /** Looks around once, for a start takes long there. */
  private static Seen seen(SystemdPlace where) throws Exception {
    Seen before = SEEN.get(where);
    if (before != null) {
      return before;
    }
    HoldfastProcess.Ended doctor = run(where, "doctor", "--json");
    assertThat(doctor.err()).isEmpty();
    HoldfastProcess.Ended offer =
        await(
            where.words(
                List.of(
                    "sh",
                    "-c",
                    "cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/cgroup.controllers")));
    Seen seen =
        new Seen(
            json(doctor.out()),
            doctor.status(),
            run(where, "doctor").out(),
            List.of(offer.out().strip().split(" +")));
    SEEN.put(where, seen);
    return seen;
  }

  private Process start(SystemdPlace where) throws Exception {
    return HoldfastProcess.start(
        where.words(
            installed.words(
                "run", "--memory", "64M", "--", "perl", "-e", "sleep 1000", mark.text())));
  }

  /** Waits for the member of the job of {@link #start}. */
  private long member() {
    List<Long> found = new ArrayList<>();
    Awaitility.await("the member")
        .atMost(Duration.ofSeconds(60))
        .until(() -> {
          for (long pid : mark.alive()) {
            // Not the one that starts the login, which is perl too.
            if (commandLine(pid).startsWith("perl\0-e\0sleep 1000\0")) {
              found.add(pid);
            }
          }
          return !found.isEmpty();
        });
    return found.getFirst();
  }

  /** Whether a keeper was told what to end: it keeps its directories open. */
  private static boolean holds(String keeper, Path scope) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("/proc", keeper, "fd"))) {
      for (Path file : files) {
        if (Files.readSymbolicLink(file).startsWith(scope)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Kills the marked process that has this word in its command line. */
  private void kill(String word) {
    int killed = 0;
    for (long pid : mark.alive()) {
      if (commandLine(pid).contains("\0" + word + "\0")) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        killed++;
      }
    }
    assertThat(killed).isEqualTo(1);
  }

  private static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
    } catch (java.io.IOException gone) {
      return "";
    }
  }

  private static String scope(Path groups) throws Exception {
    return scope(Files.readString(groups).strip().replaceFirst("^0::", ""));
  }

  private static String scope(String group) {
    assertThat(group).contains(".scope/");
    return group.substring(0, group.lastIndexOf(".scope/") + ".scope".length());
  }

  private static void awaitGone(String group) {
    Awaitility.await("the end of " + group)
        .atMost(Duration.ofSeconds(20))
        .until(() -> !Files.exists(TOP.resolve(group.substring(1))));
  }

  private static HoldfastProcess.Ended await(List<String> words) throws Exception {
    return HoldfastProcess.await(HoldfastProcess.start(words));
  }

  private static JsonNode json(String text) {
    return new JsonMapper().readTree(text);
  }
}
