package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Starts in a JVM that has hardly a descriptor left. */
@EveryKernel
@Timeout(300)
class FewDescriptorsTest {
  /** Children that are ended as members in the end, not by themselves. */
  private static final int KEPT = 5;

  /**
   * Another thread takes and gives back the last descriptors all the time: whatever step fails for
   * want of one, a start either gives a child or leaves nothing.
   */
  @Test
  void aStartThatFailsLeavesNothingThatRuns() throws Exception {
    Marked mark = Marked.fresh();
    try {
      Process jvm = Jvm.limited("ulimit -n 96", Victim.class, mark.text());
      List<String> lines = lines(jvm);
      assertThat(jvm.waitFor()).as("%s", lines).isZero();
      assertThat(lines).last().asString().startsWith("done");
      assertThat(lines)
          .as("starts that failed with a child left")
          .noneMatch(l -> l.startsWith("left"));
      // Both happened, or the test has shown nothing.
      assertThat(lines).last().asString().doesNotContain("failed: 0").doesNotContain("started: 0");
    } finally {
      mark.end();
    }
  }

  private static List<String> lines(Process jvm) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line = Jvm.line(jvm); line != null; line = Jvm.line(jvm)) {
      lines.add(line);
    }
    return lines;
  }

  /** Starts until it has seen many failures; prints "left" for each one that left something. */
  public static final class Victim {
    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[0]);
      loadAll();
      int failed = 0;
      int started = 0;
      List<Child> kept = new ArrayList<>();
      try (Job job = Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open()) {
        job.start(Trees.sleeper(mark)).signal(Signal.KILL);
        Thread hog = Thread.ofPlatform().daemon().start(FewDescriptorsTest::hog);
        long end = System.nanoTime() + 8_000_000_000L;
        while (System.nanoTime() < end && (failed < 300 || started < 30)) {
          Child child = null;
          try {
            child = job.start(Trees.sleeper(mark));
            started++;
            if (kept.size() < KEPT) {
              kept.add(child);
            } else {
              child.signal(Signal.KILL);
              child.waitFor();
            }
          } catch (IOException noDescriptor) {
            failed++;
            if (child != null) {
              System.out.println("left with its child: " + noDescriptor);
            }
          }
        }
        hog.interrupt();
        hog.join();
        job.kill();
        for (Child child : kept) {
          if (child.waitFor(Duration.ofSeconds(5)).isEmpty()) {
            System.out.println("left: who was started is no member");
          }
        }
        List<Long> left = new ArrayList<>(mark.alive());
        left.remove(ProcessHandle.current().pid());
        if (!left.isEmpty()) {
          System.out.println("left: " + left);
        }
      }
      System.out.println("done, started: " + started + ", failed: " + failed);
    }
  }

  /** More members than descriptors that are left: they are come to in several parts. */
  @Test
  void allMembersAreSignalled() throws Exception {
    Process jvm = Jvm.limited("ulimit -n 128", Signaller.class);
    List<String> lines = lines(jvm);
    assertThat(jvm.waitFor()).as("%s", lines).isZero();
    assertThat(lines).last().asString().isEqualTo("ended");
  }

  /** Ends 40 members by a signal, with 8 descriptors. */
  public static final class Signaller {
    private static final int MEMBERS = 40;
    private static final int LEFT = 8;

    public static void main(String[] arguments) throws Exception {
      loadAll();
      try (Job job = Job.open()) {
        Child first = job.start(Members.of("r".repeat(MEMBERS), List.of()).stdout(Output.pipe()));
        if (first.stdout().readNBytes(MEMBERS).length != MEMBERS) {
          throw new AssertionError("they never settled");
        }
        job.signal(Signal.CONT); // whatever is opened for that once
        // The sweep of what others left behind wants descriptors, too.
        Awaitility.await("the end of the sweep")
            .atMost(Duration.ofSeconds(60))
            .until(() ->
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().equals("holdfast-sweep")));
        Deque<FileChannel> held = new ArrayDeque<>();
        try {
          while (true) {
            held.push(FileChannel.open(Path.of("/dev/null")));
          }
        } catch (IOException none) {
          for (int i = 0; i < LEFT; i++) {
            held.pop().close();
          }
        }
        job.signal(Signal.TERM);
        for (FileChannel channel : held) {
          channel.close();
        }
        System.out.println(job.awaitEmpty(Duration.ofSeconds(20)) ? "ended" : job.members());
      }
    }
  }

  /** A class that is loaded later would need a descriptor, and its failure is not what is tried. */
  private static void loadAll() throws Exception {
    Path classes = Path.of(Job.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
        String name = classes.relativize(file).toString().replace('/', '.');
        if (!name.endsWith("-info.class")) {
          Class.forName(name.substring(0, name.length() - ".class".length()));
        }
      }
    }
  }

  private static void hog() {
    Deque<FileChannel> held = new ArrayDeque<>();
    int free = 0;
    while (!Thread.interrupted()) {
      try {
        while (true) {
          held.push(FileChannel.open(Path.of("/dev/null")));
        }
      } catch (IOException none) {
        // EMFILE: now nobody has any. Let a few go, each time another number of them.
        free = free % 7 + 1;
        for (int i = 0; i < free && !held.isEmpty(); i++) {
          try {
            held.pop().close();
          } catch (IOException impossible) {
            throw new AssertionError(impossible);
          }
        }
        Thread.onSpinWait();
      }
    }
    held.forEach(channel -> {
      try {
        channel.close();
      } catch (IOException impossible) {
        throw new AssertionError(impossible);
      }
    });
  }
}
