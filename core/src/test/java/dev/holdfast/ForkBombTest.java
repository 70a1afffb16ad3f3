package dev.holdfast;

import static java.util.stream.Collectors.joining;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.SlowInQemu;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A fork bomb of any kind, with a limit of its processes, ends, whoever ends it, and nothing is
 * left of it.
 */
@EveryKernel
@Needs(Feature.PIDS)
@SlowInQemu
@Timeout(60)
class ForkBombTest {
  /** From the order to end it. In guests for the reasons of {@link Orphans#LIMIT}. */
  private static final Duration LIMIT = Orphans.LIMIT.multipliedBy(2);

  /**
   * Of processes. All of them fork and fail, which takes locks of the whole machine: more of them
   * starve whoever else is on it, not the job alone.
   */
  private static final int MANY = 64;

  private static final Map<End, Durations> TAKEN = new EnumMap<>(End.class);

  /** Who ends it. */
  enum End {
    /** {@link Job#close}. */
    CLOSE,
    /** The keeper, when the JVM is killed. */
    KEEPER
  }

  /** We move to a leaf of our own group, and whom we start is in it too, and may make groups. */
  @BeforeAll
  static void moveToTheLeaf() throws IOException {
    Job.open().close();
  }

  @AfterAll
  static void report() {
    TAKEN.forEach((what, durations) -> System.out.println("# bombs " + what + ": " + durations));
  }

  /** Every kind of bomb. */
  static Stream<Arguments> bombs() {
    return Stream.of("plain", "setsid", "double", "nested", "closed")
        .flatMap(kind -> Stream.of(End.values()).map(end -> Arguments.of(kind, end)));
  }

  @ParameterizedTest
  @MethodSource("bombs")
  void nothingIsLeftOfABomb(String kind, End end) throws Exception {
    try (Orphans victim =
        new Orphans(
            BombVictim.class, MechanismChoice.CGROUP.name(), kind, Integer.toString(MANY))) {
      victim.go("started", 1);
      // Those that are just being made may have no environment yet.
      victim.awaitMembers(MANY * 3 / 4);
      Duration taken;
      if (end == End.CLOSE) {
        taken = victim.awaitNoJob(victim.tell("close"), LIMIT);
      } else {
        taken = victim.awaitNothing(victim.die(OrphanRound.Way.KILL, 1), LIMIT);
      }
      TAKEN.computeIfAbsent(end, key -> new Durations()).add(taken);
    }
  }

  /** The control: in no job of the JVM that dies, it lives on. Its limit is a group of ours. */
  @Test
  void withoutAJobItOutlivesTheJvm() throws Exception {
    try (Orphans victim = new Orphans(BombVictim.class, OrphanVictim.WITHOUT, "setsid", "");
        Job around = Job.builder().limits(Limits.builder().pids(MANY).build()).open()) {
      victim.tell(Groups.directoriesOf(around).stream().map(Path::toString).collect(joining(" ")));
      victim.await("started", 1);
      victim.awaitMembers(MANY * 3 / 4);
      victim.assertOutlived(MANY * 3 / 4);
    }
  }
}
