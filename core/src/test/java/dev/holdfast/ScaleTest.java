package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Place;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many children: no thread each, and nothing left of them in this process or the machine. */
@EveryKernel
@Timeout(600)
class ScaleTest {
  private static final boolean HOST = !Place.isGuest();

  @BeforeAll
  static void warm() throws Exception {
    Command.of("true").run();
  }

  @Test
  void manyChildrenAtOnceNeedNoThreads() throws Exception {
    int count = HOST ? 1000 : 50;
    Marked mark = Marked.fresh();
    Set<String> threads = platformThreads();
    long descriptors = descriptors();
    List<Path> directories;
    try (Job job = Job.open()) {
      List<Child> children = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        children.add(job.start(Command.of("sleep", "1000").env("MARK", mark.text())));
      }
      assertThat(job.members()).hasSize(count);
      directories = Groups.directoriesOf(job);
      Set<String> ours = platformThreads();
      ours.removeAll(threads);
      assertThat(ours).as("threads that came with the children").hasSizeLessThanOrEqualTo(4);
      job.kill();
      for (Child child : children) {
        assertThat(child.waitFor().signal()).contains(Signal.KILL);
      }
    }
    noMoreThan(descriptors);
    assertThat(zombies()).isEmpty();
    assertThat(directories).isNotEmpty().noneMatch(Files::exists);
  }

  @Test
  void manySpawnsInSequenceLeaveNothing() throws Exception {
    int count = HOST ? 10_000 : 500;
    long descriptors = descriptors();
    try (Job job = Job.builder().limits(Limits.builder().memory("64M").pids(16).build()).open()) {
      for (int i = 0; i < count; i++) {
        assertThat(job.start(Command.of("/bin/true")).waitFor().isSuccess()).isTrue();
      }
    }
    noMoreThan(descriptors);
    assertThat(zombies()).isEmpty();
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
    int others = HOST ? 300 : 20;
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

  /** Descriptors of children of other tests may be closed meanwhile; ours must all be, soon. */
  private static void noMoreThan(long descriptors) {
    org.awaitility.Awaitility.await("descriptors, " + descriptors + " before")
        .atMost(java.time.Duration.ofSeconds(10))
        .until(() -> descriptors() <= descriptors);
  }

  private static Set<String> platformThreads() {
    Set<String> names = new HashSet<>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      tasks.forEach(task -> {
        try {
          String name = Files.readString(task.resolve("comm")).strip();
          // The JVM's own come and go: compilers, collectors, carriers of virtual threads.
          if (name.startsWith("holdfast") || name.startsWith("process reaper")) {
            names.add(name + " " + task.getFileName());
          }
        } catch (java.io.IOException gone) {
          // a thread that ended
        }
      });
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
    return names;
  }

  private static long descriptors() throws Exception {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    }
  }

  private static List<Integer> zombies() throws Exception {
    int self = (int) ProcessHandle.current().pid();
    return dev.holdfast.linux.ProcessTable.system().entries().stream()
        .filter(entry -> entry.parent() == self && !entry.isAlive())
        .map(dev.holdfast.linux.ProcessTable.Entry::pid)
        .toList();
  }
}
