package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.OrphanRound.Moment;
import dev.holdfast.OrphanRound.Way;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Form;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

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
@ExtendWith(FromALeaf.class)
class OrphanTest {
  /** What the JVM may have of memory whose end that shall be. */
  private static final Limits BOUND = Limits.builder().memory("256M").oomGroup(false).build();

  /** The same, where all of its members are to have of it, too. */
  private static final Limits BOUND_WITH_MEMBERS =
      Limits.builder().memory("512M").oomGroup(false).build();

  /** Rounds in a row have the ways in turn. */
  static final int EACH_WAY = Way.values().length;

  @Test
  void nothingOutlivesTheJvm() throws Exception {
    rounds(MechanismChoice.CGROUP, Place.isGuest() ? Form.of(1, EACH_WAY) : Form.of(10, 200));
  }

  /** The control: without jobs all of them live on. */
  @Test
  void withoutJobsTheyOutliveTheJvm() throws Exception {
    try (Orphans orphans = new Orphans(OrphanVictim.class, "1", OrphanVictim.WITHOUT)) {
      orphans.go("settled", 1);
      orphans.assertOutlived(OrphanRound.MEMBERS);
    }
  }

  static void rounds(MechanismChoice mechanism, int usual) throws Exception {
    rounds(mechanism, Integer.getInteger("dev.holdfast.rounds", usual), seed());
  }

  static long seed() {
    return Long.getLong("dev.holdfast.seed", System.nanoTime() / 1000);
  }

  static void rounds(MechanismChoice mechanism, int count, long seed) throws Exception {
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
      case KILL, HALT, STOP -> dies(round, mechanism);
      case OOM -> runsOutOfMemory(round, mechanism);
      // A namespace ends without a keeper, too.
      case BOTH ->
          mechanism == MechanismChoice.CGROUP ? diesWithItsKeeper(round) : dies(round, mechanism);
    };
  }

  /** How long it takes then until nothing is left. */
  private static Duration dies(OrphanRound round, MechanismChoice mechanism) throws Exception {
    try (Orphans orphans = orphans(round, mechanism)) {
      return dies(orphans, round, mechanism);
    }
  }

  private static Duration dies(Orphans orphans, OrphanRound round, MechanismChoice mechanism)
      throws Exception {
    int members = awaitMoment(orphans, round, mechanism);
    long begin = orphans.die(round.way(), members);
    return mechanism == MechanismChoice.CGROUP
        ? orphans.awaitNothing(begin, Orphans.LIMIT)
        : orphans.awaitNoMember(begin, Orphans.LIMIT);
  }

  /**
   * The anchor lies outside of what bounds the memory, where the hierarchies allow it. Those in
   * namespaces have no groups, and are in that of the JVM.
   */
  private static Duration runsOutOfMemory(OrphanRound round, MechanismChoice mechanism)
      throws Exception {
    boolean groups = mechanism == MechanismChoice.CGROUP;
    try (Job bound = Job.builder().limits(groups ? BOUND : BOUND_WITH_MEMBERS).open();
        Job outside = Job.open();
        Orphans orphans =
            groups ? orphans(round, mechanism, directory(outside)) : orphans(round, mechanism)) {
      bound.adopt(orphans.jvm());
      Duration taken = dies(orphans, round, mechanism);
      assertThat(oomKills(bound)).as("kills in the group of the JVM").isPositive();
      return taken;
    }
  }

  /** Nobody else has an anchor there, and so nobody else would sweep it. */
  private static Duration diesWithItsKeeper(OrphanRound round) throws Exception {
    try (Job apart = Job.open();
        Orphans orphans = orphans(round, MechanismChoice.CGROUP, directory(apart))) {
      int members = awaitMoment(orphans, round, MechanismChoice.CGROUP);
      orphans.die(round.way(), members);
      orphans.assertForgotten(members);
      try (Orphans next =
          new Orphans(OrphanVictim.class, "0", OrphanVictim.NEXT, directory(apart))) {
        next.go("ready", 1);
        return orphans.awaitNothing(System.nanoTime(), Orphans.LIMIT);
      }
    }
  }

  private static Orphans orphans(OrphanRound round, MechanismChoice mechanism, String... root)
      throws IOException {
    List<String> words = new ArrayList<>(List.of(Long.toString(round.seed()), mechanism.name()));
    words.addAll(List.of(root));
    return new Orphans(OrphanVictim.class, words.toArray(new String[0]));
  }

  /** How many members there are at least, then. */
  static int awaitMoment(Orphans orphans, OrphanRound round, MechanismChoice mechanism)
      throws IOException {
    boolean building = round.moment() == Moment.BUILDING;
    if (building) {
      orphans.go("job", round.patience());
    } else {
      orphans.go("settled", 1);
    }
    // While they are being made there is one at least of those that were told of before the last.
    int members = building ? round.patience() - 1 : OrphanRound.MEMBERS;
    orphans.assertAlive(members);
    orphans.assertAnchored(mechanism == MechanismChoice.CGROUP);
    return members;
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
