package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Place;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many children: no thread each, and nothing left of them in this process or the machine. */
@EveryKernel
@Timeout(600)
class ScaleTest {
  private static final boolean HOST = !Place.isGuest();

  /** In a JVM of its own, which has no other threads and descriptors than its own and ours. */
  @Test
  void manyChildrenAtOnceNeedNoThreads() throws Exception {
    int count = HOST ? 1000 : 50;
    // Seconds that sleep understands, and that nobody else sleeps.
    Marked mark = new Marked("1000.0" + System.nanoTime());
    Process jvm =
        Jvm.start(
            List.of(
                // Or compilers come and go.
                "-XX:-UseDynamicNumberOfCompilerThreads"),
            Counter.class,
            Integer.toString(count),
            mark.text());
    Map<String, List<String>> told = new TreeMap<>();
    for (String line : jvm.inputReader().lines().toList()) {
      String[] words = line.split(" ", 2);
      told.computeIfAbsent(words[0], word -> new ArrayList<>()).add(words[1]);
    }
    assertThat(jvm.waitFor()).as("%s", told).isZero();
    List<String> ours = new ArrayList<>(told.get("thread-at-peak"));
    ours.removeAll(told.get("thread-before-first-use"));
    assertThat(ours).as("threads that came with us").hasSizeBetween(1, 4);
    assertThat(told.get("member-at-peak")).hasSize(count);
    // Ours has the mark too.
    assertThat(told.get("member-alive")).hasSize(count + 1);
    assertThat(told.get("descriptor-after")).isEqualTo(told.get("descriptor-before"));
    assertThat(told).doesNotContainKey("zombie");
    assertThat(told.get("removed")).isNotEmpty();
    assertThat(told).doesNotContainKey("left");
    // Nor the one that held them all, now that the JVM has ended; its keeper removes it.
    Awaitility.await("the end of the anchor")
        .atMost(Duration.ofSeconds(20))
        .until(() ->
            told.get("removed").stream()
                .noneMatch(path -> Files.exists(Path.of(path).getParent())));
    assertThat(mark.alive()).isEmpty();
  }

  /**
   * Prints what it has before and after, and at the peak: a line each, which begins with a word.
   */
  public static final class Counter {
    private Counter() {}

    public static void main(String[] arguments) throws Exception {
      int count = Integer.parseInt(arguments[0]);
      Marked mark = new Marked(arguments[1]);
      // What the counting itself needs is loaded.
      Footprint.threads();
      Footprint.descriptors();
      print("thread-before-first-use", Footprint.threads());
      Command.of("true").run();
      print("descriptor-before", Footprint.descriptors());
      together(count, mark);
      print("descriptor-after", Footprint.descriptors());
      print("zombie", Footprint.zombies());
    }

    private static void together(int count, Marked mark) throws Exception {
      List<Path> directories;
      try (Job job = Job.open()) {
        List<Child> children = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          children.add(job.start(Command.of("sleep", mark.text())));
        }
        print("member-at-peak", job.members().stream().map(String::valueOf).toList());
        print("thread-at-peak", Footprint.threads());
        directories = Groups.directoriesOf(job);
        print("member-alive", mark.alive().stream().map(String::valueOf).toList());
        job.kill();
        for (Child child : children) {
          if (!child.waitFor().signal().equals(Optional.of(Signal.KILL))) {
            throw new AssertionError(child);
          }
        }
      }
      printClosed(directories);
    }

    /** Those of a job that is closed. */
    private static void printClosed(List<Path> directories) {
      for (Path directory : directories) {
        System.out.println((Files.exists(directory) ? "left " : "removed ") + directory);
      }
    }

    private static void print(String word, Collection<String> lines) {
      lines.forEach(line -> System.out.println(word + " " + line));
    }
  }

  @Test
  void startsFromManyVirtualThreads() throws Exception {
    int count = HOST ? 500 : 50;
    try (Job job = Job.open()) {
      List<Thread> threads = new ArrayList<>();
      List<Integer> codes = java.util.Collections.synchronizedList(new ArrayList<>());
      List<String> failures = java.util.Collections.synchronizedList(new ArrayList<>());
      for (int i = 0; i < count; i++) {
        int code = i % 100;
        threads.add(
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    Child child = job.start(Command.of("sh", "-c", "exit " + code));
                    assertThat(child.waitFor().code()).isEqualTo(code);
                    codes.add(code);
                  } catch (Exception | AssertionError e) {
                    failures.add(String.valueOf(e));
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failures).isEmpty();
      assertThat(codes).hasSize(count);
    }
  }

  @Test
  void noDescriptorIsInheritedWhileOthersStartToo() throws Exception {
    int others = HOST ? 300 : 30;
    Thread noise =
        Thread.ofPlatform()
            .start(() -> {
              try {
                for (int i = 0; i < others; i++) {
                  new ProcessBuilder("true").start().waitFor();
                }
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    while (noise.isAlive()) {
      Result result = Command.of("ls", "/proc/self/fd").capture();
      assertThat(result.stdout().text().lines()).containsExactly("0", "1", "2", "3");
      Process process = new ProcessBuilder("ls", "-l", "/proc/self/fd").start();
      String listing =
          new String(
              process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      assertThat(listing).doesNotContain("cgroup").doesNotContain("pidfd").doesNotContain("memfd");
    }
    noise.join();
  }
}
