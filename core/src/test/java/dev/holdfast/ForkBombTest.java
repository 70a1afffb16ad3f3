package dev.holdfast;

import static java.util.stream.Collectors.joining;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Form;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.SlowInGuests;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A fork bomb of any kind ends, whoever ends it, and nothing is left of it: with a limit of its
 * processes, and in guests without one, too.
 */
@EveryKernel
@Needs(Feature.PIDS)
@SlowInGuests
@Timeout(600)
@ExtendWith(FromALeaf.class)
class ForkBombTest {
  /** From the order to end it. In guests for the reasons of {@link Orphans#LIMIT}. */
  private static final Duration LIMIT = Orphans.LIMIT.multipliedBy(2);

  /**
   * Of processes. All of them fork and fail, which takes locks of the whole machine: more of them
   * starve whoever else is on it, not the job alone.
   */
  private static final int MANY = 64;

  private static final String LIMITED = Integer.toString(MANY);

  /** At so many one without a limit is ended; until then, and while it is ended, it grows. */
  private static final int GROWN = 500;

  /** The kinds that need no groups. */
  private static final List<String> ANYWHERE = List.of("plain", "setsid", "double");

  private static final List<String> MAKING_GROUPS = List.of("nested", "closed");

  /**
   * The kinds that also go off without a limit: only where the machine is ours. QEMU translates
   * each instruction, on one processor at a time where all wait for the kernel's one lock of
   * groups: there one that makes groups takes longer than anybody waits, any other some minutes.
   */
  private static final List<String> UNLIMITED =
      Place.isEmulated()
          ? List.of("double")
          : Place.isGuest() ? both(ANYWHERE, MAKING_GROUPS) : List.of();

  private static final Map<String, Durations> TAKEN = new TreeMap<>();

  /** Who ends it. */
  enum End {
    /** {@link Job#close}. */
    CLOSE,
    /** The keeper, when the JVM is killed. */
    KEEPER
  }

  @AfterAll
  static void report() {
    TAKEN.forEach((what, durations) -> System.out.println("# bombs " + what + ": " + durations));
    TAKEN.clear();
  }

  static Stream<Arguments> bombs() {
    return Form.isSelection()
        ? Stream.of(
            Arguments.of("setsid", LIMITED, End.CLOSE),
            Arguments.of("nested", LIMITED, End.KEEPER),
            Arguments.of("closed", LIMITED, End.CLOSE),
            Arguments.of("double", "", End.KEEPER),
            Arguments.of("nested", "", End.CLOSE))
        : Stream.concat(each(both(ANYWHERE, MAKING_GROUPS), LIMITED), each(UNLIMITED, ""));
  }

  static Stream<Arguments> bombsWithoutGroups() {
    return Form.isSelection()
        ? Stream.of(Arguments.of("setsid", "", End.CLOSE), Arguments.of("double", "", End.KEEPER))
        : ANYWHERE.stream()
            .flatMap(kind -> each(List.of(kind), UNLIMITED.contains(kind) ? "" : LIMITED));
  }

  private static Stream<Arguments> each(List<String> kinds, String limit) {
    return kinds.stream()
        .flatMap(kind -> Stream.of(End.values()).map(end -> Arguments.of(kind, limit, end)));
  }

  private static List<String> both(List<String> some, List<String> more) {
    return Stream.of(some, more).flatMap(List::stream).toList();
  }

  @ParameterizedTest
  @MethodSource("bombs")
  void nothingIsLeftOfABomb(String kind, String limit, End end) throws Exception {
    nothingIsLeft(kind, limit, end);
  }

  static void nothingIsLeft(String kind, String limit, End end) throws Exception {
    try (Orphans victim =
        new Orphans(BombVictim.class, MechanismChoice.CGROUP.name(), kind, limit)) {
      int before = Orphans.onTheMachine();
      victim.go("started", 1);
      awaitBomb(victim, limit, before);
      end(victim, MechanismChoice.CGROUP, limit, end);
    }
  }

  /** What limits it is a group of ours, which its job knows nothing of. */
  static void nothingIsLeftInANamespace(String kind, String limit, End end) throws Exception {
    try (Orphans victim = new Orphans(BombVictim.class, "PID_NAMESPACE", kind, "");
        Job around = Job.builder().limits(BombVictim.limits(limit)).open()) {
      int before = Orphans.onTheMachine();
      victim.tell(directories(around));
      victim.await("started", 1);
      awaitBomb(victim, limit, before);
      victim.assertAnchored(false);
      end(victim, MechanismChoice.PID_NAMESPACE, limit, end);
    }
  }

  private static void awaitBomb(Orphans victim, String limit, int before) {
    if (limit.isEmpty()) {
      Orphans.awaitOnTheMachine(before + GROWN);
    } else {
      // Those that are just being made may have no environment yet.
      victim.awaitMembers(Integer.parseInt(limit) * 3 / 4);
    }
  }

  private static void end(Orphans victim, MechanismChoice mechanism, String limit, End end)
      throws Exception {
    Duration taken =
        switch (end) {
          case CLOSE -> victim.awaitNoJob(victim.tell("close"), LIMIT);
          case KEEPER -> {
            long begin = victim.die(OrphanRound.Way.KILL, 1);
            yield mechanism == MechanismChoice.CGROUP
                ? victim.awaitNothing(begin, LIMIT)
                : victim.awaitNoMember(begin, LIMIT);
          }
        };
    String what = mechanism + (limit.isEmpty() ? ", without a limit, " : ", ") + end;
    TAKEN.computeIfAbsent(what, key -> new Durations()).add(taken);
  }

  /** The control: in no job of the JVM that dies, it lives on. Its limit is a group of ours. */
  @Test
  void withoutAJobItOutlivesTheJvm() throws Exception {
    try (Orphans victim = new Orphans(BombVictim.class, OrphanVictim.WITHOUT, "setsid", "");
        Job around = Job.builder().limits(BombVictim.limits(LIMITED)).open()) {
      victim.tell(directories(around));
      victim.await("started", 1);
      victim.awaitMembers(MANY * 3 / 4);
      victim.assertOutlived(MANY * 3 / 4);
    }
  }

  private static String directories(Job job) throws IOException {
    return Groups.directoriesOf(job).stream().map(Path::toString).collect(joining(" "));
  }
}
