package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Removal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A user of a hybrid host to whom v2 alone is delegated. */
@EveryKernel
@Needs({Feature.ROOT, Feature.HYBRID})
@Timeout(120)
class PartlyDelegatedTest {
  /** Joins the group, and goes on as the user nobody. */
  private static final String JOIN =
      "echo $$ > \"$0/cgroup.procs\" && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"";

  @TempDir Path folder;

  @Test
  void theMechanismIsThatOfTheDirectoriesInUse() throws Exception {
    Path group = Files.createTempDirectory(unified(), "holdfast-test-");
    try {
      for (String file : List.of("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads")) {
        Files.setAttribute(group.resolve(file), "unix:uid", 65534);
      }
      List<String> words = new ArrayList<>(List.of("sh", "-c", JOIN, group.toString()));
      words.addAll(
          HoldfastProcess.words(
              HoldfastProcess.readableParts(folder),
              "run",
              "--cgroup-root",
              group.toString(),
              "--report",
              "json",
              "--",
              "true"));

      HoldfastProcess.Ended ended = HoldfastProcess.await(HoldfastProcess.start(words));

      assertThat(ended.status()).as(ended.err()).isZero();
      JsonNode report = new JsonMapper().readTree(ended.err());
      assertThat(report.get("cgroup").propertyNames()).containsExactly("unified");
      assertThat(report.get("mechanism").asString()).isEqualTo("cgroup-v2");
    } finally {
      Removal.await(List.of(group));
    }
  }

  private static Path unified() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String[] fields = line.split(" ", -1);
      if (fields[2].equals("cgroup2")) {
        String own =
            Files.readAllLines(Path.of("/proc/self/cgroup")).stream()
                .filter(entry -> entry.startsWith("0::/"))
                .findFirst()
                .orElseThrow();
        return Path.of(fields[1], own.substring("0::".length()));
      }
    }
    throw new AssertionError("no cgroup2 mount");
  }
}
