package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.CgroupHost;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is certain is said, and every feature has its name in the report. */
class FeaturesTest {
  private static final String V1 =
      """
      30 25 0:26 / %1$s/memory rw,nosuid - cgroup cgroup rw,memory
      31 25 0:27 / %1$s/freezer rw,nosuid - cgroup cgroup rw,freezer
      """;

  @TempDir Path folder;

  @Test
  void withoutV2ThereIsNoCgroupKill() throws Exception {
    Map<String, Optional<Boolean>> features =
        Features.probe(Optional.of(host("5:memory:/\n4:freezer:/\n", V1.formatted(folder))), true);
    assertThat(features.get("cgroup.kill")).contains(false);
    assertThat(features.get("clone-into-cgroup")).contains(false);
    assertThat(features.get("freeze")).contains(true);
    assertThat(features.get("memory.peak")).contains(true);
  }

  @Test
  void withoutAnyHierarchyThereIsNoFreezer() throws Exception {
    Map<String, Optional<Boolean>> features = Features.probe(Optional.of(host("", "")), true);
    assertThat(features.get("cgroup.kill")).contains(false);
    assertThat(features.get("freeze")).contains(false);
    assertThat(features.get("memory.peak")).contains(false);
  }

  @Test
  void whereNothingCouldBeReadTheNamesAreThere() throws Exception {
    Map<String, Optional<Boolean>> unknown = Features.probe(Optional.empty(), true);
    Map<String, Optional<Boolean>> known = Features.probe(Optional.of(CgroupHost.read()), true);
    assertThat(unknown.keySet()).containsExactlyElementsOf(known.keySet());
    assertThat(unknown.get("cgroup.kill")).isEmpty();
    assertThat(unknown.get("freeze")).isEmpty();
    assertThat(unknown.get("pidfd")).isEqualTo(known.get("pidfd"));
  }

  @Test
  void aRootThatCannotBeUsedTakesNoFeature() {
    assertThat(Host.probe(Optional.of(folder)).features().keySet())
        .containsExactlyElementsOf(Host.probe().features().keySet());
  }

  @Test
  void theProbeTakesMilliseconds() {
    List<Duration> times = new ArrayList<>();
    for (int i = 0; i < 21; i++) {
      long begin = System.nanoTime();
      Host.probe();
      times.add(Duration.ofNanos(System.nanoTime() - begin));
    }
    Collections.sort(times);
    assertThat(times.get(times.size() / 2)).as("the median").isLessThan(Duration.ofMillis(50));
  }

  private CgroupHost host(String groups, String mounts) throws Exception {
    Path self = Files.createDirectories(folder.resolve("proc/self"));
    Files.writeString(self.resolve("cgroup"), groups);
    Files.writeString(self.resolve("mountinfo"), mounts);
    return CgroupHost.read(folder.resolve("proc"));
  }
}
