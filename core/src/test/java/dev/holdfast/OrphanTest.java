package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Place;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** However our process ends, its jobs end with it: the keeper sees to that. */
@EveryKernel
@Timeout(600)
class OrphanTest {
  private static final int MEMBERS = 100;

  private static final Duration LIMIT = Duration.ofSeconds(1);

  @Test
  void killingTheJvmEndsItsJobs() throws Exception {
    int rounds = !Place.isGuest() ? 20 : 3;
    long seed = System.nanoTime();
    System.out.println("OrphanTest: seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < rounds; round++) {
      Marked mark = Marked.fresh();
      Process jvm = Jvm.start(Victim.class, mark.text(), Long.toString(random.nextLong()));
      try {
        List<Path> directories = new ArrayList<>();
        for (String line = Jvm.line(jvm); !"ready".equals(line); line = Jvm.line(jvm)) {
          assertThat(line).as("the victim's output").isNotNull();
          directories.add(Path.of(line));
        }
        assertThat(mark.alive()).as("members before the kill").hasSizeGreaterThan(MEMBERS);
        assertThat(directories).isNotEmpty().allSatisfy(path -> assertThat(path).exists());
        jvm.destroyForcibly();
        jvm.waitFor();
        Awaitility.await("round " + round)
            .atMost(LIMIT)
            .pollInterval(Duration.ofMillis(10))
            .until(() -> mark.alive().isEmpty() && directories.stream().noneMatch(Files::exists));
      } finally {
        jvm.destroyForcibly();
        mark.end();
      }
    }
  }

  /**
   * Has four jobs with members of every kind; prints their directories and "ready", and waits for
   * its death.
   */
  public static final class Victim {
    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[0]);
      Random random = new Random(Long.parseLong(arguments[1]));
      List<Job> jobs = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Job job = Job.open();
        jobs.add(job);
        job.start(Trees.sessions(MEMBERS / 4, mark).stdout(Output.discard()));
        job.start(Trees.daemon(mark).stdout(Output.discard()));
      }
      // Ours has the mark too.
      mark.await(MEMBERS + 4 + 4 + 1);
      for (Job job : jobs) {
        Groups.directoriesOf(job).forEach(System.out::println);
        Groups.directoriesOf(job).forEach(path -> System.out.println(path.getParent()));
        // One of them always.
        if (jobs.getFirst() == job || random.nextBoolean()) {
          job.freeze();
        }
      }
      System.out.println("ready");
      System.out.flush();
      Jvm.awaitDeath();
      System.out.println(jobs + File.separator);
    }
  }
}
