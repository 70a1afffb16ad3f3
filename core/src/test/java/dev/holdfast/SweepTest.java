package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.SlowInGuests;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A JVM and its keeper that die together leave a tree behind; whoever comes next ends it. */
@EveryKernel
@Needs(Feature.ROOT)
@Timeout(600)
class SweepTest {
  private static final int AT_ONCE = Place.isGuest() ? 2 : 4;

  /** With one processor, as in User-mode Linux, each more leaves less of it to those that start. */
  private static final int SWEEPERS = Place.isGuest() ? 1 : 3;

  /** In each directory that it is told. */
  private static final String DIG =
      "$n = 'n' x 200; while (<STDIN>) { chomp; chdir $_ or die $!;"
          + " for (1..25) { mkdir $n or die $!; chdir $n or die $! } } chdir '/';"
          + " $| = 1; print 'deep'; sleep 1000";

  @RegisterExtension final Marked mark = Marked.fresh();

  private final List<Owner> owners = new CopyOnWriteArrayList<>();

  @AfterEach
  void nothingIsLeft() throws Exception {
    for (Owner owner : owners) {
      owner.end();
    }
    Awaitility.await("the end of what was left")
        .atMost(Duration.ofSeconds(30))
        .until(() -> {
          Leftovers.sweep();
          return owners.stream().allMatch(Owner::isGone);
        });
  }

  private Owner start(Owner.First first) throws IOException {
    Owner owner = Owner.start(first);
    owners.add(owner);
    return owner;
  }

  /** Whoever has a subtree can make a group there with the name of an anchor elsewhere. */
  @Test
  @Needs(Feature.HYBRID)
  void theNameOfALivingAnchorMisleadsNobody() throws Exception {
    try (Job job = Job.builder().limits(Limits.builder().pids(16).build()).open()) {
      List<Path> directories = Groups.directoriesOf(job);
      Path anchor = Groups.membership(directories).getParent();
      Path theirs = Files.createDirectory(anchor.resolveSibling("theirs-" + mark.text()));
      Path lure = Files.createDirectory(theirs.resolve(anchor.getFileName()));
      Files.setAttribute(lure, "unix:uid", 65534);
      try {
        Leftovers.sweep();
        assertThat(lure).as("what was not locked").doesNotExist();
        assertThat(directories).allSatisfy(directory -> assertThat(directory).exists());
        assertThat(job.start(Command.of("true")).waitFor().isSuccess()).isTrue();
      } finally {
        Files.deleteIfExists(lure);
        Files.deleteIfExists(theirs);
      }
    }
  }

  /** Whoever may make groups can name one like an anchor, and name what is in it as he likes. */
  @Test
  void oddNamesAreSweptToo() throws Exception {
    try (Job job = Job.open()) {
      Path anchor = Groups.membership(Groups.directoriesOf(job)).getParent();
      Path theirs = Files.createDirectory(anchor.resolveSibling("odd-" + mark.text()));
      Path longest =
          Files.createDirectory(theirs.resolve("holdfast-" + "1".repeat(220) + "-000000000000"));
      Path odd = Files.createDirectory(theirs.resolve("holdfast-1-000000000000"));
      Path released = Files.createDirectory(odd.resolve("a b"));
      Files.setAttribute(released, "user:holdfast.released", "1".getBytes(StandardCharsets.UTF_8));
      Files.createDirectory(odd.resolve("memory.max-is-a-name"));
      try {
        Leftovers found = Leftovers.sweep();
        assertThat(longest).as("%s", found).doesNotExist();
        assertThat(odd).as("%s", found).doesNotExist();
        assertThat(anchor).exists();
      } finally {
        Groups.removeTree(theirs);
      }
    }
  }

  @Test
  void theDeadAreSweptAndTheLivingAreNot() throws Exception {
    Owner dead = start(Owner.First.FROZEN);
    Owner living = start(Owner.First.FROZEN);
    dead.dieWithKeeper();
    // The control: without a sweep the tree lives on.
    dead.assertWhole();
    List<Long> livingBefore = living.members();

    Leftovers found = Leftovers.sweep();

    assertThat(dead.isGone()).isTrue();
    assertThat(found.left()).isEmpty();
    assertThat(found.swept())
        .anySatisfy(swept -> {
          assertThat(swept.anchor()).isEqualTo(dead.anchor());
          assertThat(swept.killedMembers()).isEqualTo(Owner.MEMBERS);
        });
    assertThat(found.living()).isPositive();
    assertThat(living.members()).containsExactlyInAnyOrderElementsOf(livingBefore);
    living.assertWhole();
  }

  /** Members may nest groups deeper than a path can tell, in a job that lives. */
  @Test
  void whatLiesDeeperThanAnyPathIsNoObstacle() throws Exception {
    Owner dead = start(Owner.First.USUAL);
    try (Job living = Job.open()) {
      Child digger = living.start(Trees.perl(DIG, mark).stdin(Input.pipe()).stdout(Output.pipe()));
      try (OutputStream where = digger.stdin()) {
        for (Path directory : Groups.directoriesOf(living)) {
          where.write((directory + "\n").getBytes(StandardCharsets.UTF_8));
        }
      }
      assertThat(digger.stdout().read()).as("deep").isPositive();
      dead.dieWithKeeper();
      Leftovers found = Leftovers.sweep();
      assertThat(dead.isGone()).as("%s", found).isTrue();
      assertThat(mark.alive()).hasSize(1);
    }
  }

  @Test
  void releasedMembersLiveOnAndAreRemovedWhenTheyHaveEnded() throws Exception {
    Owner dead = start(Owner.First.RELEASED);
    dead.dieWithKeeper();
    List<Long> before = dead.members();

    Leftovers found = Leftovers.sweep();

    assertThat(found.released()).isPositive();
    // The other job, with three of them, was not released.
    assertThat(dead.members()).hasSize(before.size() - 3).isSubsetOf(before);
    dead.end();
    Awaitility.await("the released members' end")
        .atMost(Duration.ofSeconds(20))
        .until(() -> dead.members().isEmpty());
    Leftovers.sweep();
    assertThat(dead.isGone()).isTrue();
  }

  /** Many owners start and die at once while everybody sweeps: none is taken for another. */
  @Test
  @SlowInGuests
  void manyStartDieAndSweepAtOnce() throws Exception {
    long seed = System.nanoTime();
    System.out.println("SweepTest: seed " + seed);
    Random random = new Random(seed);
    int rounds = Place.isGuest() ? 2 : 5;
    List<Owner> alive = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      Collections.shuffle(alive, random);
      List<Owner> dying = alive.subList(0, alive.isEmpty() ? 0 : 1 + random.nextInt(alive.size()));
      List<Owner> born = whileSweeping(dying);
      dying.clear();
      alive.addAll(born);
      alive.forEach(Owner::assertWhole);
    }
    // A new one sweeps in the background, and what it is at is not ours to sweep.
    Awaitility.await("the end of the dead")
        .atMost(Duration.ofSeconds(30))
        .until(() -> {
          Leftovers.sweep();
          return owners.stream().filter(Owner::isGone).count() == owners.size() - alive.size();
        });
    alive.forEach(Owner::assertWhole);
  }

  /** Those that start meanwhile. */
  private List<Owner> whileSweeping(List<Owner> dying) throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    List<Future<?>> sweepers = new ArrayList<>();
    List<Future<Owner>> starters = new ArrayList<>();
    List<Owner> born = new ArrayList<>();
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      try {
        for (int i = 0; i < SWEEPERS; i++) {
          sweepers.add(
              threads.submit(() -> {
                while (!over.get()) {
                  Leftovers.sweep();
                }
                return null;
              }));
        }
        for (int i = 0; i < AT_ONCE; i++) {
          starters.add(threads.submit(() -> start(Owner.First.FROZEN)));
        }
        for (Owner owner : dying) {
          owner.dieWithKeeper();
        }
        for (Future<Owner> starter : starters) {
          born.add(starter.get());
        }
      } finally {
        over.set(true);
      }
      for (Future<?> sweeper : sweepers) {
        sweeper.get();
      }
    }
    return born;
  }
}
