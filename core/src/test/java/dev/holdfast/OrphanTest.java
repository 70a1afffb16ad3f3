package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.OrphanRound.Moment;
import dev.holdfast.OrphanRound.Way;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * However our process ends, its jobs end with it, whatever their members are: the keeper sees to
 * that, and where the keeper is gone too, the next start.
 *
 * <p>To have one round again: {@code kernels/run-tests -Ddev.holdfast.rounds=1
 * -Ddev.holdfast.seed=N --only '.*OrphanTest' PLACE}.
 */
@EveryKernel
@Needs(Feature.MEMORY)
@Timeout(3600)
class OrphanTest {
  /** What the JVM may have of memory whose end that shall be. */
  private static final Limits BOUND = Limits.builder().memory("256M").oomGroup(false).build();

  /** We move to a leaf of our own group, and whom we start is in it too, and may make groups. */
  @BeforeAll
  static void moveToTheLeaf() throws IOException {
    Job.open().close();
  }

  @ParameterizedTest
  @EnumSource(names = "CGROUP")
  void nothingOutlivesTheJvm(MechanismChoice mechanism) throws Exception {
    rounds(mechanism, Place.isGuest() ? 2 : 10);
  }

  @Tag("long")
  @ParameterizedTest
  @EnumSource(names = "CGROUP")
  void nothingOutlivesTheJvmInManyRounds(MechanismChoice mechanism) throws Exception {
    rounds(mechanism, Place.isGuest() ? 5 : 200);
  }

  /** The control: without jobs all of them live on. */
  @Test
  void withoutJobsTheyOutliveTheJvm() throws Exception {
    try (Orphans orphans = new Orphans(OrphanVictim.class, "1", OrphanVictim.WITHOUT)) {
      orphans.go("settled", 1);
      orphans.assertOutlived(OrphanRound.MEMBERS);
    }
  }

  private static void rounds(MechanismChoice mechanism, int usual) throws Exception {
    int count = Integer.getInteger("dev.holdfast.rounds", usual);
    long seed = Long.getLong("dev.holdfast.seed", System.nanoTime() / 1000);
    Map<Way, Durations> taken = new EnumMap<>(Way.class);
    for (int i = 0; i < count; i++) {
      OrphanRound round = OrphanRound.of(seed + i);
      try {
        taken.computeIfAbsent(round.way(), way -> new Durations()).add(run(round, mechanism));
      } catch (Exception | AssertionError failure) {
        throw new AssertionError(round + ": " + failure.getMessage(), failure);
      }
    }
    System.out.println("# " + count + " ends of a JVM with " + mechanism + ", seeds from " + seed);
    taken.forEach((way, durations) -> System.out.println("#   " + way + ": " + durations));
  }

  private static Duration run(OrphanRound round, MechanismChoice mechanism) throws Exception {
    return switch (round.way()) {
      case KILL, HALT, STOP -> {
        try (Orphans orphans = orphans(round, mechanism)) {
          yield die(orphans, round);
        }
      }
      // The anchor lies outside of what bounds the memory, where the hierarchies allow it.
      case OOM -> {
        try (Job bound = Job.builder().limits(BOUND).open();
            Job outside = Job.open();
            Orphans orphans = orphans(round, mechanism, directory(outside))) {
          bound.adopt(orphans.jvm());
          Duration taken = die(orphans, round);
          assertThat(oomKills(bound)).as("kills in the group of the JVM").isPositive();
          yield taken;
        }
      }
      // Nobody else has an anchor there, and so nobody else would sweep it.
      case BOTH -> {
        try (Job apart = Job.open();
            Orphans orphans = orphans(round, mechanism, directory(apart))) {
          die(orphans, round);
          try (Orphans next =
              new Orphans(OrphanVictim.class, "0", OrphanVictim.NEXT, directory(apart))) {
            next.go("ready", 1);
            yield orphans.awaitNothing(System.nanoTime(), Orphans.LIMIT);
          }
        }
      }
    };
  }

  private static Orphans orphans(OrphanRound round, MechanismChoice mechanism, String... root)
      throws IOException {
    List<String> words = new ArrayList<>(List.of(Long.toString(round.seed()), mechanism.name()));
    words.addAll(List.of(root));
    return new Orphans(OrphanVictim.class, words.toArray(new String[0]));
  }

  /** Ends it at its moment, and waits until nothing is left, unless that takes another's start. */
  private static Duration die(Orphans orphans, OrphanRound round) throws Exception {
    boolean building = round.moment() == Moment.BUILDING;
    if (building) {
      orphans.go("job", round.patience());
    } else {
      orphans.go("settled", 1);
    }
    // While they are being made there is one at least of those that were told of before the last.
    int members = building ? round.patience() - 1 : OrphanRound.MEMBERS;
    orphans.assertAlive(members);
    long begin = orphans.die(round.way(), members);
    return round.way() == Way.BOTH ? Duration.ZERO : orphans.awaitNothing(begin, Orphans.LIMIT);
  }

  /** As the kernel tells it: {@code oom_kill 1}. */
  private static long oomKills(Job job) throws IOException {
    for (Path group : Groups.directoriesOf(job)) {
      for (String file : List.of("memory.events", "memory.oom_control")) {
        if (Files.exists(group.resolve(file))) {
          return Files.readAllLines(group.resolve(file)).stream()
              .filter(line -> line.startsWith("oom_kill "))
              .mapToLong(line -> Long.parseLong(line.substring(9)))
              .sum();
        }
      }
    }
    throw new AssertionError("no memory controller");
  }

  private static String directory(Job job) throws IOException {
    Path membership = Groups.membership(Groups.directoriesOf(job));
    return membership.toString();
  }
}
