package dev.holdfast.bench;

import dev.holdfast.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code bench/run}: runs the works asked for and prints the table. */
public final class Bench {
  @FunctionalInterface
  private interface Work {
    List<Outcome> run(Settings settings) throws Exception;
  }

  private static final Map<String, Work> WORKS = new LinkedHashMap<>();

  static {
    WORKS.put("start", Starts::inExistingJob);
    WORKS.put("job", Starts::inOwnJob);
    WORKS.put("many", ManyChildren::run);
    WORKS.put("tree", EndOfTree::run);
    WORKS.put("stream", Streams::run);
    WORKS.put("usage", Snapshots::run);
    WORKS.put("group", GroupCycle::run);
    WORKS.put("command", WholeCommand::run);
  }

  private Bench() {}

  /** {@code PROGRAMS [--quick] [--guest] [WORK…]}; exits with 1 if a goal was missed. */
  public static void main(String[] arguments) throws Exception {
    List<String> words = new ArrayList<>(Arrays.asList(arguments));
    Path programs = Path.of(words.removeFirst()).toAbsolutePath();
    Settings settings = new Settings(words.remove("--quick"), words.remove("--guest"), programs);
    List<String> chosen = words.isEmpty() ? List.copyOf(WORKS.keySet()) : words;
    for (String name : chosen) {
      if (!WORKS.containsKey(name)) {
        System.err.println("bench: no work \"" + name + "\"; there are " + WORKS.keySet());
        System.exit(2);
      }
    }
    System.out.println(machine());
    System.out.println();
    List<String> summary = new ArrayList<>();
    for (String name : chosen) {
      Work work = WORKS.get(name);
      if (work != null) {
        for (Outcome outcome : work.run(settings)) {
          outcome.print(System.out, summary);
        }
      }
    }
    System.out.println("load average at the end " + load());
    System.out.println("goals");
    summary.forEach(System.out::println);
    System.exit(summary.stream().anyMatch(line -> line.startsWith("  MISSED")) ? 1 : 0);
  }

  private static String machine() throws IOException {
    try (Job job = Limited.job()) {
      return "Linux "
          + System.getProperty("os.version")
          + ", "
          + Runtime.getRuntime().availableProcessors()
          + " CPUs, Java "
          + Runtime.version()
          + ", "
          + job.mechanism().text()
          + ", load average "
          + load();
    }
  }

  private static String load() throws IOException {
    return String.join(
        " ",
        Arrays.asList(Files.readString(Path.of("/proc/loadavg")).split(" ", -1)).subList(0, 3));
  }
}
