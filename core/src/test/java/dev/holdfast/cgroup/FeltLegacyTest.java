package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.ZramSwap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits that only v1 has, as members feel them. */
@InGuest
@Needs(Feature.ROOT)
@Timeout(120)
class FeltLegacyTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = groups.make();
  }

  /** A task that finds no memory waits, and goes on as soon as there is some. */
  @Test
  @Needs(Feature.MEMORY_V1)
  void whoMayNotBeKilledWaits() throws Exception {
    group.apply(Limits.builder().memory("32M").oomKillDisable(true).build(), false);
    Process hog = groups.runAndRead(group, LiveGroups.hog(64));
    Path control = group.directory("memory").orElseThrow().resolve("memory.oom_control");
    await().atMost(PATIENCE).until(() -> Files.readAllLines(control).contains("under_oom 1"));
    assertThat(hog.isAlive()).isTrue();
    assertThat(Files.readAllLines(control)).contains("oom_kill_disable 1", "oom_kill 0");
    group.apply(Limits.builder().memory("256M").build(), false);
    assertThat(hog.inputReader().readLine()).isEqualTo("full");
    assertThat(group.usage().memory().oomKills()).hasValue(0);
  }

  /** At 0 the kernel kills rather than swaps, even where there is swap enough. */
  @Test
  @Needs({Feature.MEMORY_V1, Feature.MEMSW, Feature.ZRAM})
  void withoutSwappinessNothingIsSwapped() throws Exception {
    try (ZramSwap swap = new ZramSwap("512M")) {
      Limits.Builder limits = Limits.builder().memory("32M").swap("256M");
      Cgroup willing = groups.make();
      willing.apply(limits.swappiness(100).build(), false);
      group.apply(limits.swappiness(0).build(), false);
      assertThat(Files.readString(group.directory("memory").get().resolve("memory.swappiness")))
          .isEqualTo("0\n");
      Process lives = groups.runAndRead(willing, LiveGroups.hog(64));
      assertThat(lives.inputReader().readLine()).isEqualTo("full");
      assertThat(groups.run(group, LiveGroups.hog(64)).waitFor()).isNotZero();
      assertThat(group.usage().memory().oomKills().orElseThrow()).isPositive();
      willing.kill(PATIENCE); // what is in swap has to leave it before the device is taken away
    }
  }

  @Test
  @Needs(Feature.REALTIME_GROUPS)
  void onlyAGroupThatHasTimeForThemTakesRealtimeTasks() throws Exception {
    String realtime = "exec chrt --fifo 1 true";
    Limits limits = Limits.builder().set(LimitKind.CPU_REALTIME, "100000/1000000").build();
    assertThat(groups.run(group, realtime).waitFor()).isNotZero();
    assertThat(group.apply(limits, false))
        .singleElement()
        .matches(row -> row.effective().get().equals(new LimitValue.Bandwidth(100_000, 1_000_000)));
    assertThat(groups.run(group, realtime).waitFor()).isZero();
    Limits tooMuch = Limits.builder().set(LimitKind.CPU_REALTIME, "990000/1000000").build();
    assertThatThrownBy(() -> group.apply(tooMuch, false))
        .hasMessageContaining("no group may have more than the one above it has left");
  }
}
