package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits of memory as their members feel them. */
@EveryKernel
@Needs(Feature.MEMORY)
@Timeout(120)
class FeltMemoryTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long MIB = 1 << 20;

  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = groups.make();
  }

  /** Reclaim finds nothing without swap, so every page beyond costs the member a wait. */
  @Test
  @Needs(Feature.PURE_V2)
  void aboveHighTheGroupIsSlowedDownAndNotKilled() throws Exception {
    group.apply(Limits.builder().memoryHigh("16M").build(), false);
    List<CgroupEvent.Kind> told = new CopyOnWriteArrayList<>();
    Process hog;
    try (EventWatch watch = group.listen(event -> told.add(event.kind()))) {
      assertThat(watch.kinds()).contains(CgroupEvent.Kind.MEMORY_HIGH);
      hog = groups.run(group, LiveGroups.hog(256));
      await().atMost(PATIENCE).until(() -> events().high().orElse(-1) > 0);
      await().atMost(PATIENCE).until(() -> told.contains(CgroupEvent.Kind.MEMORY_HIGH));
    }
    assertThat(hog.isAlive()).isTrue();
    assertThat(events().oomKill()).hasValue(0);
    assertThat(group.usage().memory().current().orElseThrow()).isLessThan(128 * MIB);
  }

  private Statistics.MemoryEvents events() throws IOException {
    return group.statistics().memory().events();
  }

  /** A group that is limited binds those nested in it, whatever limits they give themselves. */
  @Test
  @Needs(Feature.ROOT)
  void aNestedGroupIsBounded() throws Exception {
    group.enableControllers();
    group.apply(Limits.builder().memory("32M").build(), false);
    try (Cgroup nested = group.create("nested")) {
      nested.apply(Limits.builder().memory("1G").build(), false);
      assertThat(groups.run(nested, LiveGroups.hog(64)).waitFor()).isNotZero();
      assertThat(group.usage().memory().oomKills().orElseThrow()).isPositive();
    }
  }
}
