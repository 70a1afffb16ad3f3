package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Family;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.WallTime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A JVM with jobs that is to die, and what it leaves, as the process table and the mounted
 * hierarchies tell it. Closing this ends whatever is left.
 */
final class Orphans implements AutoCloseable {
  /**
   * From the end of the JVM until nobody and nothing is left. A second is for a machine. User-mode
   * Linux has one processor and forks slowly, and the test itself looks at 500 processes meanwhile;
   * QEMU translates each instruction.
   */
  static final Duration LIMIT =
      Duration.ofSeconds(Place.isEmulated() ? 20 : Place.isGuest() ? 5 : 1);

  /** How long a stopped JVM is looked at, to which nothing shall happen. */
  private static final Duration STANDSTILL = Duration.ofMillis(100);

  /** The build machine's first process looks for the dead once a second or so. */
  private static final Duration REAPING = Duration.ofSeconds(10);

  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private final Process jvm;
  private final Family family;
  private List<Path> anchor = List.of();
  private long look;

  /** Starts it; it waits for its go. */
  Orphans(Class<?> main, String... words) throws IOException {
    this(List.of(), main, words);
  }

  /** The same, with options of the JVM's. */
  Orphans(List<String> options, Class<?> main, String... words) throws IOException {
    String mark = UUID.randomUUID().toString();
    jvm = Jvm.leader(mark, options, main, words);
    family = new Family(mark, jvm.pid());
  }

  ProcessHandle jvm() {
    return jvm.toHandle();
  }

  /** Lets it begin, and returns when it has printed {@code word} so many times. */
  void go(String word, int times) throws IOException {
    tell("go");
    await(word, times);
  }

  void await(String word, int times) throws IOException {
    for (int seen = 0; seen < times; ) {
      String line = Jvm.line(jvm);
      assertThat(line).as("what it prints").isNotNull();
      seen += line.equals(word) ? 1 : 0;
    }
    anchor = Groups.anchorsOf(jvm.pid());
  }

  /** Its jobs are groups, or none of them is. */
  void assertAnchored(boolean groups) {
    assertThat(anchor.isEmpty()).as("without an anchor: " + anchor).isEqualTo(!groups);
  }

  /** Its members live, with a keeper and its anchor if it has one. */
  void assertAlive(int members) {
    Family.Alive alive = family.alive();
    assertThat(alive.members()).as("members").hasSizeGreaterThanOrEqualTo(members);
    assertThat(alive.keepers()).as("keepers").isNotEmpty();
    assertThat(anchor).as("its anchor").allSatisfy(path -> assertThat(path).exists());
  }

  /** Members live whom nobody keeps any more. */
  void assertForgotten(int members) {
    assertThat(family.alive().members()).as("members").hasSizeGreaterThanOrEqualTo(members);
    assertThat(anchor).as("its anchor").allSatisfy(path -> assertThat(path).exists());
  }

  /** Ends it in one of the ways; from then on the time counts that this answers. */
  long die(OrphanRound.Way way, int members) throws Exception {
    switch (way) {
      case KILL -> {}
      case HALT -> {
        return tell("halt");
      }
      case OOM -> {
        tell("fill");
        assertThat(jvm.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(jvm.exitValue()).as("killed").isEqualTo(128 + 9);
        return System.nanoTime();
      }
      case STOP -> {
        Jvm.stop(jvm);
        WallTime.pass(STANDSTILL);
        assertAlive(members);
      }
      case BOTH -> Jvm.killWithKeeper(jvm);
    }
    long begin = System.nanoTime();
    jvm.destroyForcibly();
    return begin;
  }

  /** With only one processor, whoever looks without a pause leaves them no time to become more. */
  void awaitMembers(int count) {
    Awaitility.await("members")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .until(() -> family.alive().members().size() >= count);
  }

  /**
   * Waits until so many are on the machine, as the kernel counts them: where they grow without a
   * limit, whoever looks at each of them comes to no end.
   */
  static void awaitOnTheMachine(int count) {
    Awaitility.await("processes and threads")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> onTheMachine() >= count);
  }

  /** All processes and threads there are. */
  static int onTheMachine() throws IOException {
    String runningAndAll = Files.readString(Path.of("/proc/loadavg")).split(" ")[3];
    return Integer.parseInt(runningAndAll.substring(runningAndAll.indexOf('/') + 1));
  }

  /** Gives it an order; from then on the time counts that this answers. */
  long tell(String order) throws IOException {
    Jvm.tell(jvm, order);
    return System.nanoTime();
  }

  /** Waits until nothing is left; how long that took. */
  Duration awaitNothing(long begin, Duration limit) {
    return await(this::isNothingLeft, begin, limit);
  }

  /**
   * The same where members are in namespaces: how long it took until nobody of them is left. A
   * namespace's first process, and who waits for it, are gone when those are reaped that came to
   * the machine's own first process, and some of those take their time.
   */
  Duration awaitNoMember(long begin, Duration limit) {
    Duration taken = await(() -> family.alive().members().isEmpty(), begin, limit);
    await(this::isNothingLeft, begin, limit.plus(REAPING));
    return taken;
  }

  /** Waits until no job is left in the JVM, which lives; how long that took. */
  Duration awaitNoJob(long begin, Duration limit) {
    return await(this::isNoJobLeft, begin, limit);
  }

  /** Looks longer than it may take, to tell what comes late from what never comes. */
  private Duration await(Callable<Boolean> end, long begin, Duration limit) {
    try {
      Awaitility.await("the end")
          .atMost(limit.multipliedBy(5))
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(5))
          .until(() -> {
            look = System.nanoTime();
            return end.call();
          });
    } catch (ConditionTimeoutException late) {
      throw new AssertionError(
          "there still are " + family.described() + " and " + left(anchor), late);
    }
    Duration taken = Duration.ofNanos(look - begin);
    assertThat(taken).as("until nothing is left").isLessThanOrEqualTo(limit);
    return taken;
  }

  /** The groups first: what is made while we look may be missed, but it would be in one of them. */
  private boolean isNothingLeft() throws IOException {
    return left(anchor).isEmpty()
        && family.alive().isNobody()
        && Groups.anchorsOf(jvm.pid()).isEmpty();
  }

  private boolean isNoJobLeft() throws IOException {
    for (Path group : anchor) {
      try (Stream<Path> below = Files.list(group)) {
        if (below.anyMatch(Files::isDirectory)) {
          return false;
        }
      }
    }
    return family.alive().members().isEmpty();
  }

  private static List<Path> left(List<Path> directories) {
    return directories.stream().filter(Files::exists).toList();
  }

  /** For the control. */
  void assertOutlived(int members) throws Exception {
    jvm.destroyForcibly();
    jvm.waitFor();
    WallTime.pass(LIMIT);
    assertThat(family.alive().members()).hasSizeGreaterThanOrEqualTo(members);
  }

  @Override
  public void close() throws Exception {
    jvm.destroyForcibly();
    jvm.waitFor();
    Awaitility.await("the end of what was left")
        .atMost(PATIENCE)
        .until(() -> {
          family.end();
          return family.alive().isNobody();
        });
    for (Path group : Groups.anchorsOf(jvm.pid())) {
      Groups.removeTree(group);
    }
  }
}
