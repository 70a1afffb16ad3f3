package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A JVM and its keeper that die together leave a tree behind; whoever comes next ends it. */
@EveryKernel
@Needs(Feature.ROOT)
@Timeout(600)
class SweepTest {
  private final Marked mark = Marked.fresh();
  private final List<Owner> owners = new ArrayList<>();

  /** A JVM with two jobs, one of them frozen. */
  private final class Owner {
    private final Process jvm;
    private final List<Path> directories = new ArrayList<>();
    private final Marked own = Marked.fresh();

    Owner(String... words) throws Exception {
      List<String> arguments = new ArrayList<>(List.of(words));
      arguments.add(0, own.text());
      jvm = Jvm.start(Victim.class, arguments.toArray(new String[0]));
      owners.add(this);
      for (String line = Jvm.line(jvm); !"ready".equals(line); line = Jvm.line(jvm)) {
        assertThat(line).as("the owner's output").isNotNull();
        directories.add(Path.of(line));
      }
    }

    void dieWithKeeper() throws Exception {
      Jvm.stop(jvm);
      Jvm.killWithKeeper(jvm);
    }

    boolean isGone() {
      return own.alive().isEmpty() && directories.stream().noneMatch(Files::exists);
    }

    void end() {
      jvm.destroyForcibly();
      own.end();
    }
  }

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

  @Test
  void theDeadAreSweptAndTheLivingAreNot() throws Exception {
    Owner dead = new Owner();
    Owner living = new Owner();
    dead.dieWithKeeper();
    // The control: without a sweep the tree lives on.
    assertThat(dead.own.alive()).isNotEmpty();
    assertThat(dead.directories).allSatisfy(path -> assertThat(path).exists());
    List<Long> livingBefore = living.own.alive();

    Leftovers found = Leftovers.sweep();

    assertThat(dead.isGone()).isTrue();
    assertThat(found.left()).isEmpty();
    assertThat(found.swept())
        .anySatisfy(swept -> {
          assertThat(dead.directories.toString()).contains("/" + swept.anchor() + "/");
          assertThat(swept.killedMembers()).isEqualTo(6);
        });
    assertThat(found.living()).isPositive();
    assertThat(living.own.alive()).containsExactlyInAnyOrderElementsOf(livingBefore);
    assertThat(living.directories).allSatisfy(path -> assertThat(path).exists());
  }

  @Test
  void releasedMembersLiveOnAndAreRemovedWhenTheyHaveEnded() throws Exception {
    Owner dead = new Owner("release");
    dead.dieWithKeeper();
    List<Long> before = dead.own.alive();

    Leftovers found = Leftovers.sweep();

    assertThat(found.released()).isPositive();
    // The other job, with three of them, was not released.
    assertThat(dead.own.alive()).hasSize(before.size() - 3).isSubsetOf(before);
    dead.own.end();
    Awaitility.await("the released members' end")
        .atMost(Duration.ofSeconds(20))
        .until(() -> dead.own.alive().isEmpty());
    Leftovers.sweep();
    assertThat(dead.isGone()).isTrue();
  }

  /** Many owners come and go while everybody sweeps: nobody's tree is taken for another's. */
  @Test
  void manyStartDieAndSweepAtOnce() throws Exception {
    long seed = System.nanoTime();
    System.out.println("SweepTest: seed " + seed);
    Random random = new Random(seed);
    int rounds = Place.isGuest() ? 2 : 12;
    List<Owner> alive = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      alive.add(new Owner());
      Thread[] sweepers = new Thread[3];
      for (int i = 0; i < sweepers.length; i++) {
        sweepers[i] = Thread.ofVirtual().start(SweepTest::sweep);
      }
      Owner dead = random.nextInt(3) > 0 ? alive.remove(random.nextInt(alive.size())) : null;
      if (dead != null) {
        dead.dieWithKeeper();
      }
      for (Thread sweeper : sweepers) {
        sweeper.join();
      }
      for (Owner owner : alive) {
        assertThat(owner.own.alive()).as("round " + round).hasSize(7);
      }
    }
    Leftovers.sweep();
    for (Owner owner : owners) {
      assertThat(owner.isGone()).isEqualTo(!alive.contains(owner));
    }
  }

  private static void sweep() {
    try {
      Leftovers.sweep();
    } catch (java.io.IOException failure) {
      throw new java.io.UncheckedIOException(failure);
    }
  }

  /** Two jobs of three processes each; prints their directories and "ready". */
  public static final class Victim {
    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[0]);
      List<Job> jobs = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        Job job = Job.open();
        jobs.add(job);
        job.start(Trees.sessions(2, mark).stdout(Output.discard()));
      }
      // Ours has the mark too.
      mark.await(7);
      for (Job job : jobs) {
        Groups.directoriesOf(job).forEach(System.out::println);
        Groups.directoriesOf(job).forEach(path -> System.out.println(path.getParent()));
      }
      Optional<String> wish = arguments.length > 1 ? Optional.of(arguments[1]) : Optional.empty();
      if (wish.isPresent()) {
        jobs.getFirst().stop(Signal.parse("WINCH"), Duration.ofMillis(1), false);
      } else {
        jobs.getFirst().freeze();
      }
      System.out.println("ready");
      System.out.flush();
      Jvm.awaitDeath();
      System.out.println(jobs);
    }
  }
}
