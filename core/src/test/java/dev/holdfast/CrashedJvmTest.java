package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.OrphanRound.Moment;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A JVM that breaks down, as a fault in native code makes it: HotSpot writes down where it was, on
 * the thread that the signal came to, while all others go on; then it aborts. It is one more way to
 * end, beside those of {@link OrphanTest}, which has the control.
 */
@HostAndGuest
@Needs(Feature.FREEZER)
@Timeout(600)
class CrashedJvmTest {
  @TempDir Path folder;

  /** What it is doing then. */
  static Stream<Moment> moments() {
    return Place.isGuest() ? Stream.of(Moment.STARTING) : Arrays.stream(Moment.values());
  }

  @ParameterizedTest
  @MethodSource("moments")
  void nothingOutlivesACrash(Moment moment) throws Exception {
    Job.open().close(); // moves us to a leaf: whom we start may make groups there
    OrphanRound round = round(moment);
    System.out.println("# a crash, " + moment + ", seed " + round.seed());
    Path report = folder.resolve("report");
    List<String> options = List.of("-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=" + report);
    try (Orphans orphans =
        new Orphans(
            options,
            OrphanVictim.class,
            Long.toString(round.seed()),
            MechanismChoice.CGROUP.name())) {
      OrphanTest.awaitMoment(orphans, round, MechanismChoice.CGROUP);

      String pid = Long.toString(orphans.jvm().pid());
      Tool.run("kill", "-SEGV", pid);
      orphans.jvm().onExit().get(60, TimeUnit.SECONDS);

      Duration taken = orphans.awaitNothing(System.nanoTime(), Orphans.LIMIT);
      System.out.println("#   " + taken.toMillis() + " ms");
    }
    assertThat(Files.readString(report)).contains("SIGSEGV");
  }

  /** Of the seeds from now on, the first that has it. */
  private static OrphanRound round(Moment moment) {
    return LongStream.iterate(OrphanTest.seed(), next -> next + 1)
        .mapToObj(OrphanRound::of)
        .filter(round -> round.moment() == moment)
        .findFirst()
        .orElseThrow();
  }
}
