package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command in a group of v2 that is not as usual. */
@Needs({Feature.ROOT, Feature.PURE_V2, Feature.MEMORY, Feature.PIDS})
@Timeout(180)
class NamespaceTest {
  private Cgroup group;
  private Path directory;

  @BeforeEach
  void make() throws IOException {
    Delegation delegation = Delegation.probe(CgroupHost.read(), Optional.empty());
    delegation.acquire();
    group = delegation.create("hf-test-namespace-" + ProcessHandle.current().pid());
    directory = group.unifiedDirectory().orElseThrow();
  }

  @AfterEach
  void remove() throws IOException {
    group.close();
  }

  /** As in a container that may write to its part of the tree: the root there is not the root. */
  @Test
  @InGuest
  void aWritableNamespaceIsOurs() throws Exception {
    HoldfastProcess.Ended doctor = inNamespace("doctor", "--json");
    assertThat(doctor.status()).as(doctor.err()).isZero();
    JsonNode host = json(doctor.out());
    assertThat(host.at("/cgroup/version").asString()).isEqualTo("v2");
    assertThat(host.at("/cgroup/delegation").asString()).isEqualTo("leaf");

    HoldfastProcess.Ended run =
        inNamespace(
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
            "g=$(cut -d: -f3 /proc/self/cgroup); echo $g; cd /sys/fs/cgroup$g;"
                + " cat memory.max pids.max; perl -e '$x = q(a) x 300000000'");
    assertThat(run.status()).as(run.err()).isEqualTo(137);
    List<String> printed = run.out().lines().toList();
    assertThat(printed.getFirst()).matches("/holdfast-[^/]+/job-1");
    assertThat(printed.subList(1, 3)).containsExactly("67108864", "16");
    JsonNode report = json(run.err());
    assertThat(report.get("mechanism").asString()).isEqualTo("cgroup-v2");
    assertThat(report.get("outcome").asString()).isEqualTo("oom-killed");
    // From outside: it was in our group, and nothing is left but the leaf.
    assertThat(group.usage().memory().oomKills()).hasValue(report.at("/memory/oomKills").asLong());
    try (Stream<Path> below = Files.list(directory).filter(Files::isDirectory)) {
      assertThat(below).containsExactly(directory.resolve("holdfast.leaf"));
    }
  }

  /** Where systemd runs, it would give us another place. */
  @Test
  @Tag(Place.UML_V2)
  void aThreadedSubtreeIsRefused() throws Exception {
    Path threaded = Files.createDirectory(directory.resolve("threads"));
    Files.writeString(threaded.resolve("cgroup.type"), "threaded");
    String reason =
        threaded.resolve("cgroup.type") + " is \"threaded\": groups below it cannot hold processes";

    HoldfastProcess.Ended doctor = in(threaded, "exec \"$@\"", "doctor", "--json");
    assertThat(doctor.status()).as(doctor.err()).isEqualTo(1);
    JsonNode host = json(doctor.out());
    assertThat(host.get("available").asBoolean()).isFalse();
    assertThat(host.at("/cgroup/delegation").asString()).isEqualTo("none");
    assertThat(host.get("reason").asString()).startsWith(reason);
    assertThat(host.get("remedy").asString()).contains("--cgroup-root");

    HoldfastProcess.Ended run =
        in(threaded, "exec \"$@\"", "run", "--memory", "64M", "--", "echo", "ran");
    assertThat(run.status()).isEqualTo(125);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .startsWith("holdfast: cannot limit memory with pid-namespace: ")
        .contains(reason);

    HoldfastProcess.Ended unlimited =
        in(
            threaded,
            "exec \"$@\"",
            "run",
            "--report",
            "json",
            "--",
            "sh",
            "-c",
            "cat /proc/self/cgroup; exit 3");
    assertThat(unlimited.status()).isEqualTo(3);
    assertThat(unlimited.out()).endsWith("/threads");
    assertThat(json(unlimited.err()).get("mechanism").asString()).isEqualTo("pid-namespace");
  }

  private HoldfastProcess.Ended inNamespace(String... arguments) throws Exception {
    return in(
        directory,
        "exec unshare --cgroup --mount sh -c 'umount /sys/fs/cgroup"
            + " && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec \"$@\"' sh \"$@\"",
        arguments);
  }

  /** Runs a shell script in a group, where {@code "$@"} is the command. */
  private static HoldfastProcess.Ended in(Path group, String script, String... arguments)
      throws Exception {
    List<String> words = new ArrayList<>(List.of("sh", "-euc"));
    words.add("echo $$ >\"$0/cgroup.procs\"; " + script);
    words.add(group.toString());
    words.addAll(HoldfastProcess.words(HoldfastProcess.parts(), arguments));
    return HoldfastProcess.await(HoldfastProcess.start(words));
  }

  private static JsonNode json(String text) {
    return new JsonMapper().readTree(text);
  }
}
