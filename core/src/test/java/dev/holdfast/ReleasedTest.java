package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Removal;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Survivors of a stop without escalation outlive the JVM and its keeper, contained. */
@EveryKernel
@Timeout(120)
@ExtendWith(FromALeaf.class)
class ReleasedTest {
  private final Marked mark = Marked.fresh();

  @AfterEach
  void end() {
    mark.end();
  }

  @ParameterizedTest
  @ValueSource(strings = {"killed", "at its end"})
  void survivorsLiveOnContained(String how) throws Exception {
    Process jvm = Jvm.start(Stopper.class, mark.text(), how);
    Map<String, List<Path>> directories = new TreeMap<>();
    for (String line = Jvm.line(jvm); !"ready".equals(line); line = Jvm.line(jvm)) {
      assertThat(line).as("what the JVM says").isNotNull();
      String[] words = line.split(" ", 2);
      directories.computeIfAbsent(words[0], word -> new ArrayList<>()).add(Path.of(words[1]));
    }
    assertThat(directories).containsOnlyKeys("left", "ended", "usual");
    assertThat(directories.values()).allSatisfy(all -> assertThat(all).isNotEmpty());
    long survivor = only(of("left"));
    long usual = only(of("usual"));
    ProcessHandle keeper = Jvm.keepers(jvm.toHandle()).getFirst();
    // It has started nothing else besides the members of its jobs.
    assertThat(jvm.children().map(ProcessHandle::pid))
        .containsExactlyInAnyOrder(survivor, usual, keeper.pid());

    if (how.equals("killed")) {
      jvm.destroyForcibly();
    } else {
      jvm.outputWriter().close();
    }
    jvm.waitFor();
    // A zombie, if nobody waits for it, has no command line.
    Awaitility.await("the end of the keeper")
        .atMost(Duration.ofSeconds(30))
        .until(() -> !keeper.isAlive() || commandLine(keeper).isEmpty());

    // The keeper did its work: on a job that was not released, and on one that nobody is in.
    assertThat(of("usual").alive()).isEmpty();
    assertThat(directories.get("usual")).noneMatch(Files::exists);
    assertThat(directories.get("ended")).noneMatch(Files::exists);
    // And left alone who lives in the third, who is still held.
    assertThat(of("left").alive()).containsExactly(survivor);
    assertThat(directories.get("left")).allMatch(Files::exists);
    for (Path directory : directories.get("left")) {
      assertThat(Groups.membersOf(directory)).containsExactly(survivor);
    }

    mark.end();
    mark.await(0);
    for (Path directory : directories.get("left")) {
      Removal.await(List.of(directory, directory.getParent()));
    }
  }

  private Marked of(String job) {
    return new Marked(mark.text() + "-" + job);
  }

  private static long only(Marked some) {
    assertThat(some.alive()).hasSize(1);
    return some.alive().getFirst();
  }

  private static String commandLine(ProcessHandle process) throws Exception {
    return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
  }

  /** Releases two of three jobs, one of which then loses its survivor; prints where they are. */
  public static final class Stopper {
    private Stopper() {}

    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[0]);
      List<Job> jobs = new ArrayList<>();
      for (String name : List.of("left", "ended", "usual")) {
        Job job = Job.open();
        jobs.add(job);
        Child child = startReady(job, new Marked(mark.text() + "-" + name));
        Groups.directoriesOf(job).forEach(path -> System.out.println(name + " " + path));
        if (name.equals("usual")) {
          continue;
        }
        StopReport report = job.stop(Signal.TERM, Duration.ofMillis(100), false);
        if (report.survivors() != 1 || report.killed()) {
          throw new AssertionError(report);
        }
        if (name.equals("ended")) {
          ProcessHandle.of(child.pid()).orElseThrow().destroyForcibly();
          child.waitFor();
        }
      }
      System.out.println("ready");
      System.out.flush();
      if (arguments[1].equals("killed")) {
        Jvm.awaitDeath();
      }
      while (System.in.read() >= 0) {
        // until the test has looked
      }
      if (jobs.isEmpty()) {
        throw new AssertionError();
      }
    }

    private static Child startReady(Job job, Marked mark) throws Exception {
      Child child = job.start(Trees.stubborn(mark).stdout(Output.pipe()));
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.UTF_8));
      if (!"ready".equals(reader.readLine())) {
        throw new AssertionError(child);
      }
      return child;
    }
  }
}
