package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.Setting;
import dev.holdfast.testing.ZramSwap;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Limits of swap, with swap on a device: in guests, since the whole machine has it meanwhile; one
 * of v1 and one of v2.
 */
@Tag(Place.UML_V1)
@Tag(Place.QEMU)
@Needs({Feature.ROOT, Feature.MEMORY, Feature.ZRAM})
@Timeout(120)
class FeltSwapTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long MIB = 1 << 20;

  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = groups.make();
  }

  @Test
  void swapOfNoneHoldsAndSomeIsUsed() throws Exception {
    try (ZramSwap swap = new ZramSwap("512M")) {
      Cgroup none = groups.make();
      none.apply(Limits.builder().memory("32M").build(), false);
      assertThat(groups.run(none, LiveGroups.hog(64)).waitFor()).isNotZero();
      assertThat(none.usage().memory().oomKills().orElseThrow()).isPositive();
      assertThat(none.statistics().swap().peak().orElse(0)).isZero();

      group.apply(Limits.builder().memory("32M").swap("256M").build(), false);
      Process lives = groups.runAndRead(group, LiveGroups.hog(64));
      assertThat(lives.inputReader().readLine()).isEqualTo("full");
      assertThat(group.usage().memory().oomKills()).hasValue(0);
      assertThat(group.usage().memory().current().orElseThrow()).isLessThanOrEqualTo(32 * MIB);
      group.kill(PATIENCE); // what is in swap has to leave it before the device is taken away
    }
  }

  @Test
  @Needs(Feature.PURE_V2)
  void aHighMarkOfSwapSlowsDown() throws Exception {
    try (ZramSwap swap = new ZramSwap("512M")) {
      group.apply(Limits.builder().memory("32M").swap("256M").swapHigh("8M").build(), false);
      List<CgroupEvent.Kind> told = new CopyOnWriteArrayList<>();
      try (EventWatch watch = group.listen(event -> told.add(event.kind()))) {
        assertThat(watch.kinds()).contains(CgroupEvent.Kind.SWAP_HIGH);
        groups.run(group, LiveGroups.hog(64));
        await().atMost(PATIENCE).until(() -> group.statistics().swap().high().orElse(0) > 0);
        await().atMost(PATIENCE).until(() -> told.contains(CgroupEvent.Kind.SWAP_HIGH));
      }
      group.kill(PATIENCE);
    }
  }

  @Test
  @Needs(Feature.PURE_V2)
  void swapOverItsLimitIsTold() throws Exception {
    try (ZramSwap swap = new ZramSwap("512M")) {
      group.apply(Limits.builder().memory("32M").swap("8M").build());
      List<CgroupEvent.Kind> told = new CopyOnWriteArrayList<>();
      try (EventWatch watch = group.listen(event -> told.add(event.kind()))) {
        assertThat(groups.run(group, LiveGroups.hog(64)).waitFor()).isNotZero();
        await()
            .atMost(PATIENCE)
            .until(() ->
                told.containsAll(
                    List.of(
                        CgroupEvent.Kind.SWAP_MAX,
                        CgroupEvent.Kind.SWAP_FAIL,
                        CgroupEvent.Kind.OOM_KILL)));
      }
      Statistics.Swap counted = group.statistics().swap();
      assertThat(counted.max().orElseThrow()).isPositive();
      assertThat(counted.fail().orElseThrow()).isPositive();
    }
  }

  @Test
  @Needs({Feature.PURE_V2, Feature.PEAK_RESET})
  void aWindowForThePeakOfSwap() throws Exception {
    try (ZramSwap swap = new ZramSwap("512M")) {
      group.apply(Limits.builder().memory("32M").swap("256M").build());
      try (PeakWindow window = group.swapPeakWindow()) {
        assertThat(window.bytes()).hasValue(0);
        groups.run(group, LiveGroups.hog(64));
        await().atMost(PATIENCE).until(() -> window.bytes().orElseThrow() > 16 * MIB);
      }
      group.kill(PATIENCE);
    }
  }

  /**
   * The neighbour has the group reclaim: from whom nothing protects, and the others keep theirs.
   */
  @ParameterizedTest
  @ValueSource(strings = {"none", "low", "min"})
  @Needs(Feature.PURE_V2)
  void whatIsProtectedStays(String protection) throws Exception {
    try (ZramSwap swap = new ZramSwap("512M")) {
      group.enableControllers();
      group.apply(Limits.builder().memory("64M").swap("256M").build());
      try (Cgroup kept = group.create("kept");
          Cgroup neighbour = group.create("neighbour")) {
        Limits.Builder limits = Limits.builder();
        switch (protection) {
          case "low" -> limits.memoryLow("40M");
          case "min" -> limits.memoryMin("40M");
          default -> limits.memoryHigh("max");
        }
        kept.apply(limits.build());
        Process first = groups.runAndRead(kept, LiveGroups.hog(16));
        assertThat(first.inputReader().readLine()).isEqualTo("full");
        long before = kept.usage().memory().current().orElseThrow();
        assertThat(before).isBetween(16 * MIB, 40 * MIB);
        Process second = groups.runAndRead(neighbour, LiveGroups.hog(64));
        assertThat(second.inputReader().readLine()).isEqualTo("full");
        long after = kept.usage().memory().current().orElseThrow();
        if (protection.equals("none")) {
          assertThat(after).as("what the control keeps").isLessThan(before / 2);
        } else {
          assertThat(after).as("what is kept").isGreaterThan(before * 9 / 10);
        }
        group.kill(PATIENCE);
      }
    }
  }

  @Test
  @Needs({Feature.PURE_V2, Feature.NO_PEAK_RESET})
  void withoutAPeakOfSwapThatCanBeResetItIsSaidWhatHasOne() {
    assertThatThrownBy(() -> group.swapPeakWindow())
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("memory.swap.peak")
        .hasMessageContaining("6.12");
  }

  @Test
  @Needs(Feature.PURE_V2)
  void reclaimTakesMemoryBack() throws Exception {
    try (ZramSwap swap = new ZramSwap("512M")) {
      Process hog = groups.runAndRead(group, LiveGroups.hog(64));
      assertThat(hog.inputReader().readLine()).isEqualTo("full");
      long before = group.usage().memory().current().orElseThrow();
      assertThat(group.reclaim(16 * MIB)).isTrue();
      assertThat(group.usage().memory().current().orElseThrow()).isLessThan(before - 8 * MIB);
      group.kill(PATIENCE);
    }
  }

  /**
   * 64 MiB of pages that shrink to about an eighth, and not to nothing: of a page that repeats one
   * word the kernel keeps the word alone. They grow in place, so no copy is swapped besides.
   */
  private static final String SHRINKING =
      "exec perl -e '$| = 1; srand(1); $page = join(\"\", map { chr(rand 256) } 1 .. 512);"
          + " $page .= \"a\" x 3584; $x .= $page for 1 .. 16384; print \"full\\n\"; sleep 1000'";

  /**
   * What compressed swap does not take goes to the device, so the job lives in all three cases. The
   * kernel asks before it stores a page, and its size is not known then: the last one may go over.
   */
  @ParameterizedTest
  @ValueSource(strings = {"max", "2M", "0"})
  @Tag(Place.UML_V2)
  @Needs({Feature.PURE_V2, Feature.ZSWAP})
  void compressedSwapStaysBelowItsLimit(String limit) throws Exception {
    final long page = 4096;
    try (Setting on = new Setting(Path.of("/sys/module/zswap/parameters/enabled"), "Y");
        ZramSwap swap = new ZramSwap("512M")) {
      Limits.Builder limits = Limits.builder().memory("32M").swap("256M");
      group.apply((limit.equals("0") ? limits.zswap(0) : limits.zswap(limit)).build());
      Process lives = groups.runAndRead(group, SHRINKING);
      assertThat(lives.inputReader().readLine()).isEqualTo("full");
      Statistics statistics = group.statistics();
      long swapped = statistics.swap().current().orElseThrow();
      long compressed = statistics.memory().zswap().orElseThrow();
      long before = statistics.memory().stat().get("zswapped").orElseThrow();
      long onDevice = swap.used();
      group.kill(PATIENCE); // before anything may fail: else the device cannot be taken away
      assertThat(swapped).isGreaterThan(30 * MIB);
      switch (limit) {
        case "max" -> {
          assertThat(compressed).isGreaterThan(3 * MIB);
          assertThat(before).isGreaterThan(swapped * 9 / 10);
          assertThat(onDevice).isLessThan(MIB);
        }
        case "2M" -> {
          assertThat(compressed).isBetween(MIB, 2 * MIB + page);
          assertThat(before).isBetween(4 * MIB, 30 * MIB);
          assertThat(onDevice).isGreaterThan(4 * MIB);
        }
        default -> {
          assertThat(compressed).isZero();
          assertThat(before).isZero();
          assertThat(onDevice).isGreaterThan(30 * MIB);
        }
      }
    }
  }
}
