package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.Form;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.SlowInGuests;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Very many children one after the other, by every mechanism in turn, in jobs that come and go:
 * this process is the same afterwards, and as fast.
 */
@SlowInGuests
@Timeout(3600)
class SoakTest {
  /** Until then classes are loaded and methods compiled. */
  private static final int WARM_UP = 1000;

  /** Some 40 bytes for each child in the long form; the C library's heap comes and goes by less. */
  private static final long MORE_KIB = 8 * 1024;

  private static final double SLOWER = 1.1;

  /** The JDK, by which process trees start, keeps some for a while; one a child would be more. */
  private static final int JDK_THREADS = 16;

  private static final Predicate<String> OF_THE_JDK =
      Pattern.compile("process reaper|ForkJoinPool").asPredicate();

  @Test
  @InGuest
  void someChildrenLeaveNothing() throws Exception {
    try (Soak soak = new Soak()) {
      soak.run(50);
      Told before = soak.run(20);
      soak.run(150);
      assertSame(before, soak);
    }
  }

  @Test
  @HostOnly
  void thousandsOfChildrenLeaveNothing() throws Exception {
    int tenth = Form.of(5_000, 200_000) / 10;
    List<String> directories;
    try (Soak soak = new Soak()) {
      soak.run(WARM_UP);
      Told first = soak.run(tenth);
      for (int i = 0; i < 8; i++) {
        System.out.println("SoakTest: " + soak.run(tenth).summary());
      }
      Told last = soak.run(tenth);
      System.out.println("# SoakTest: first " + first.summary() + "; last " + last.summary());
      assertSame(first, soak);
      if (!isAsFast(last.medians(), first.medians())) {
        assertAsFastAsAFreshOne(soak, tenth);
      }
      directories = last.all("directory");
    }
    // Nor is the anchor left, now that the JVM has ended.
    Awaitility.await("the end of the anchor")
        .atMost(Duration.ofSeconds(20))
        .until(() -> directories.stream().noneMatch(path -> Files.exists(Path.of(path))));
  }

  private static void assertSame(Told before, Soak soak) {
    // Keepers may still be about to forget the last child.
    Awaitility.await("the keepers' rest")
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertSame(before, soak.run(0)));
  }

  private static void assertSame(Told before, Told after) {
    for (String what : List.of("descriptor", "thread", "directory", "zombie")) {
      assertThat(after.all(what)).as(what).containsExactlyInAnyOrderElementsOf(before.all(what));
    }
    assertThat(after.all("zombie")).isEmpty();
    assertThat(after.all("directory")).noneMatch(path -> path.contains("/job-"));
    // One that has just ended may still have been held before.
    assertThat(after.number("keeper-descriptors"))
        .as("the keepers' descriptors")
        .isLessThanOrEqualTo(before.number("keeper-descriptors"));
    assertThat(after.anonymousKib() - before.anonymousKib())
        .as("KiB more, after %s", before.anonymousKib())
        .isLessThan(MORE_KIB);
    assertThat(after.all("jdk-thread")).hasSizeLessThan(JDK_THREADS);
    List<String> ours = new ArrayList<>(after.all("thread"));
    ours.removeAll(after.all("thread-before-first-use"));
    assertThat(ours).as("threads that came with us").hasSizeBetween(1, 4);
  }

  private static boolean isAsFast(Map<String, Long> now, Map<String, Long> then) {
    assertThat(now.keySet()).isEqualTo(then.keySet());
    return now.keySet().stream().allMatch(each -> now.get(each) < then.get(each) * SLOWER);
  }

  /**
   * Where the machine has become slower meanwhile, so has a JVM that has just started: in turn with
   * the old one, it tells what the first children take now.
   */
  private static void assertAsFastAsAFreshOne(Soak old, int count) throws Exception {
    int rounds = 40;
    System.out.println("# SoakTest: slower in the end than in the beginning; beside a fresh JVM");
    Map<String, List<Long>> ofOld = new TreeMap<>();
    Map<String, List<Long>> ofFresh = new TreeMap<>();
    try (Soak fresh = new Soak()) {
      fresh.run(WARM_UP);
      for (int i = 0; i < rounds; i++) {
        add(old.run(count / rounds).medians(), ofOld);
        add(fresh.run(count / rounds).medians(), ofFresh);
      }
    }
    Map<String, Long> now = medians(ofOld);
    Map<String, Long> then = medians(ofFresh);
    System.out.println("# SoakTest: in turn, old " + now + " ns, fresh " + then + " ns");
    assertThat(isAsFast(now, then))
        .as("medians of the last, %s ns, within a tenth of a fresh JVM's, %s ns", now, then)
        .isTrue();
  }

  private static void add(Map<String, Long> from, Map<String, List<Long>> to) {
    from.forEach((name, value) -> to.computeIfAbsent(name, n -> new ArrayList<>()).add(value));
  }

  private static Map<String, Long> medians(Map<String, List<Long>> values) {
    Map<String, Long> medians = new TreeMap<>();
    values.forEach((name, all) ->
        medians.put(name, median(all.stream().mapToLong(Long::longValue).toArray())));
    return medians;
  }

  private static long median(long[] values) {
    long[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** What a JVM has said after some children: lines that begin with a word. */
  private record Told(Map<String, List<String>> lines) {
    List<String> all(String word) {
      return lines.getOrDefault(word, List.of());
    }

    long anonymousKib() {
      return number("anonymous-kib");
    }

    long number(String word) {
      return Long.parseLong(all(word).getFirst());
    }

    /** In nanoseconds, from before the start to the end that was seen. */
    Map<String, Long> medians() {
      Map<String, Long> medians = new TreeMap<>();
      for (String line : all("median")) {
        String[] words = line.split(" ");
        medians.put(words[0], Long.valueOf(words[1]));
      }
      return medians;
    }

    String summary() {
      return medians()
          + " ns, "
          + anonymousKib()
          + " KiB, "
          + all("descriptor").size()
          + " descriptors, "
          + all("thread").size()
          + " threads";
    }
  }

  /** The JVM that starts the children; it waits to be told how many. */
  private static final class Soak implements AutoCloseable {
    private final Process jvm =
        Jvm.start(
            List.of(
                // Or compilers come and go.
                "-XX:-UseDynamicNumberOfCompilerThreads",
                // The heap is all there from the beginning, so what grows is native.
                "-Xms32m",
                "-Xmx32m",
                "-XX:+AlwaysPreTouch"),
            Starter.class);

    Soak() throws IOException {}

    Told run(int count) throws IOException {
      jvm.outputWriter().write(count + "\n");
      jvm.outputWriter().flush();
      Map<String, List<String>> lines = new TreeMap<>();
      for (String line = Jvm.line(jvm); !"done".equals(line); line = Jvm.line(jvm)) {
        assertThat(line).as("what it says after %s", lines).isNotNull();
        String[] words = line.split(" ", 2);
        lines.computeIfAbsent(words[0], word -> new ArrayList<>()).add(words[1]);
      }
      return new Told(lines);
    }

    @Override
    public void close() throws InterruptedException, IOException {
      jvm.outputWriter().close();
      assertThat(jvm.waitFor()).isZero();
    }
  }

  /** Its main class. */
  public static final class Starter {
    /** So many children to a job. */
    private static final int OF_A_JOB = 50;

    private Starter() {}

    public static void main(String[] arguments) throws Exception {
      Footprint.threads();
      Collection<String> before = Footprint.threads();
      List<MechanismChoice> mechanisms = List.copyOf(Mechanisms.here().keySet());
      BufferedReader orders =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
      for (String order = orders.readLine(); order != null; order = orders.readLine()) {
        start(Integer.parseInt(order), mechanisms);
        System.gc();
        print("thread-before-first-use", before);
        Collection<String> threads = Footprint.threads();
        print("thread", threads.stream().filter(OF_THE_JDK.negate()).toList());
        print("jdk-thread", threads.stream().filter(OF_THE_JDK).toList());
        print("descriptor", Footprint.descriptors());
        print("keeper-descriptors", Footprint.descriptorsOfChildren());
        print("zombie", Footprint.zombies());
        print("directory", Footprint.directories());
        print("anonymous-kib", Footprint.anonymousKib());
        System.out.println("done");
      }
    }

    private static void start(int count, List<MechanismChoice> mechanisms) throws Exception {
      if (count == 0) {
        return; // it is only looked at
      }
      int each = Math.ceilDiv(count, mechanisms.size());
      long[][] times = new long[mechanisms.size()][each];
      Job[] jobs = new Job[mechanisms.size()];
      for (int i = 0; i < each; i++) {
        for (int m = 0; m < jobs.length; m++) {
          if (i % OF_A_JOB == 0) {
            close(jobs[m]);
            jobs[m] = open(mechanisms.get(m));
          }
          long begin = System.nanoTime();
          Child child = jobs[m].start(Command.of("/bin/true"));
          if (!child.waitFor().isSuccess()) {
            throw new AssertionError(child);
          }
          times[m][i] = System.nanoTime() - begin;
        }
      }
      for (int m = 0; m < jobs.length; m++) {
        print("median", List.of(jobs[m].mechanism().text() + " " + median(times[m])));
        close(jobs[m]);
      }
    }

    private static Job open(MechanismChoice mechanism) throws IOException {
      Limits limits = Limits.builder().memory("64M").pids(16).build();
      return Job.builder().mechanism(mechanism).limits(limits).bestEffort(true).open();
    }

    private static void close(Job job) throws IOException {
      if (job != null) {
        job.close();
      }
    }

    private static void print(String word, long number) {
      System.out.println(word + " " + number);
    }

    private static void print(String word, Collection<String> lines) {
      lines.forEach(line -> System.out.println(word + " " + line));
    }
  }
}
