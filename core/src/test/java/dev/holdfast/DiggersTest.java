package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Members that make groups inside their job's faster than anybody can look at them: whoever looks
 * before he ends them never comes to that.
 */
@EveryKernel
@Needs(Feature.ROOT)
@Timeout(180)
class DiggersTest {
  /** More of them wait for the one lock that each new group takes. */
  private static final int DIGGERS = 4;

  private static final int DEEP = 50;

  /** Who is not ended stops there: what it makes takes memory of the kernel. */
  private static final int DEEPEST = Place.isGuest() ? 5_000 : 20_000;

  /** The end, which a close has 5 s for by itself. Guests are slow with what was dug meanwhile. */
  private static final Duration LIMIT = Duration.ofSeconds(Place.isGuest() ? 60 : 5);

  @RegisterExtension final Marked mark = Marked.fresh();

  /** Each digs a shaft of its own, one group in another, below the directory that it is told. */
  private static Command diggers(Marked mark) {
    return Trees.perl(
            "$d = <STDIN>; chomp $d; for (1.."
                + DIGGERS
                + ") { next if fork; chdir $d or die $!; mkdir $$; chdir $$;"
                + " for (1.."
                + DEEPEST
                + ") { mkdir 'n' and chdir 'n' } sleep 1000 } 1 while wait > 0",
            mark)
        .stdin(Input.pipe());
  }

  /** They dig in the hierarchy that tells who is a member. */
  private static Path start(Job job, Child child, Marked mark) throws Exception {
    List<Path> directories = Groups.directoriesOf(job);
    Path group = Groups.membership(directories);
    child.stdin().write((group + "\n").getBytes(StandardCharsets.UTF_8));
    child.stdin().close();
    mark.await(DIGGERS + 1);
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> shafts(group) == DIGGERS);
    return group;
  }

  private static long shafts(Path group) throws IOException {
    try (Stream<Path> files = Files.list(group)) {
      return files.filter(file -> Files.exists(file.resolve("n/".repeat(DEEP)))).count();
    }
  }

  @Test
  void closingEndsThem() throws Exception {
    Job job = Job.builder().closeDeadline(LIMIT).open();
    Path group = start(job, job.start(diggers(mark)), mark);
    long begin = System.nanoTime();
    job.close();
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(LIMIT);
    assertThat(mark.alive()).isEmpty();
    assertThat(group).doesNotExist();
    assertThat(job.cleanup().orElseThrow().killedMembers()).isPositive();
  }

  /** Of a process whose first thread has ended, which the kernel's own kill of a group misses. */
  @Test
  void closingEndsThreadsThatDig() throws Exception {
    Job job = Job.builder().closeDeadline(LIMIT).open();
    Path group = Groups.membership(Groups.directoriesOf(job));
    Child digger = job.start(Members.of("g", List.of(group)).stdout(Output.pipe()));
    assertThat(digger.stdout().readNBytes(DIGGERS)).as("settled").hasSize(DIGGERS);
    long begin = System.nanoTime();
    job.close();
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(LIMIT);
    assertThat(digger.waitFor(LIMIT).orElseThrow().signal()).contains(Signal.KILL);
    assertThat(group).doesNotExist();
  }

  @Test
  void aTimeLimitEndsThem() throws Exception {
    Duration time = Duration.ofSeconds(1);
    Duration grace = Duration.ofMillis(100);
    Run run = Run.of(diggers(mark)).timeout(time).grace(grace).cpuTime(Duration.ofHours(1));
    long begin = System.nanoTime();
    try (Running running = run.start()) {
      Path group = start(running.job(), running.child(), mark);
      Result result = running.await();
      assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
      assertThat(Duration.ofNanos(System.nanoTime() - begin))
          .isLessThan(time.plus(grace).plus(LIMIT));
      // A guest may take longer to go through what they dug than a run waits for its end.
      if (Place.isGuest()) {
        running.job().close();
      }
      assertThat(mark.alive()).isEmpty();
      assertThat(group).doesNotExist();
    }
  }

  @Test
  void aSweepEndsThem() throws Exception {
    Process jvm = Jvm.start(Victim.class, mark.text());
    Path group = Path.of(Jvm.line(jvm));
    Jvm.killWithKeeper(jvm);
    // The control: they live on, and dig.
    assertThat(digging(mark).alive()).hasSize(DIGGERS + 1);
    assertThat(shafts(group)).isEqualTo(DIGGERS);

    Leftovers found = Leftovers.sweep();

    assertThat(mark.alive()).as("those of %s", found).isEmpty();
    assertThat(group.getParent()).as("by %s", found).doesNotExist();
  }

  /** The JVM that starts them bears the mark itself. */
  private static Marked digging(Marked mark) {
    return new Marked(mark.text() + "-digging");
  }

  /** Prints its job's group once they dig there. */
  public static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws Exception {
      Marked mark = digging(new Marked(arguments[0]));
      try (Job job = Job.open()) {
        System.out.println(start(job, job.start(diggers(mark)), mark));
        System.out.flush();
        Jvm.awaitDeath();
      }
    }
  }
}
