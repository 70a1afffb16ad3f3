package dev.holdfast.bench;

import dev.holdfast.Child;
import dev.holdfast.Command;
import dev.holdfast.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Many live children at once: how many threads they cost, and how long it takes to start them. */
final class ManyChildren {
  private static final String[] SLEEP = {"/bin/sleep", "1000"};
  private static final String HOLDFAST = "Holdfast";

  private static final Path TASKS = Path.of("/proc/self/task");

  private ManyChildren() {}

  static List<Outcome> run(Settings settings) throws Exception {
    int count = settings.many();
    double[] threads = new double[2];
    try (Job pattern = Limited.roomyJob(count);
        Peer peer = new Peer(settings.peer())) {
      Groups.of(pattern).teach(peer, false);
      Race time =
          new Race(
                  "3. start " + count + " children that live",
                  Unit.MICROSECONDS,
                  Rivals.PROCESS_BUILDER)
              .add(new Candidate(HOLDFAST, () -> holdfast(count, threads)))
              .add(new Candidate(Rivals.PROCESS_BUILDER, () -> processBuilder(count, threads)))
              .add(new Candidate("C, clone3 into its group", () -> peer.sample("many " + count)));
      Outcome started = time.run(1, settings.quick() ? 1 : 3, 0);
      Race counted =
          new Race(
                  "3. threads for " + count + " live children",
                  Unit.THREADS,
                  Rivals.PROCESS_BUILDER)
              .add(new Candidate(HOLDFAST, () -> threads[0]))
              .add(new Candidate(Rivals.PROCESS_BUILDER, () -> threads[1]))
              .goal(HOLDFAST, "", 4);
      return List.of(counted.run(0, 1, 0), started);
    }
  }

  private static double holdfast(int count, double[] threads) throws Exception {
    Command command = Limited.quiet(SLEEP[0], SLEEP[1]);
    try (Job job = Limited.roomyJob(count)) {
      List<Child> children = new ArrayList<>();
      int before = threads();
      double micros =
          Candidate.micros(() -> {
            for (int i = 0; i < count; i++) {
              children.add(job.start(command));
            }
          });
      threads[0] = Math.max(threads[0], Math.max(threads() - before, threadsOfOurs()));
      job.kill();
      for (Child child : children) {
        child.waitFor();
      }
      return micros;
    }
  }

  private static double processBuilder(int count, double[] threads) throws Exception {
    List<Process> children = new ArrayList<>();
    int before = threads();
    double micros =
        Candidate.micros(() -> {
          for (int i = 0; i < count; i++) {
            children.add(Rivals.processBuilder(SLEEP).start());
          }
        });
    // Its reapers stay for a while: the first round sees them come.
    threads[1] = Math.max(threads[1], threads() - before);
    children.forEach(Process::destroyForcibly);
    for (Process child : children) {
      child.waitFor();
    }
    return micros;
  }

  private static int threads() throws IOException {
    return names().size();
  }

  private static int threadsOfOurs() throws IOException {
    return (int) names().stream().filter(name -> name.startsWith("holdfast")).count();
  }

  private static List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    for (String task : Objects.requireNonNull(TASKS.toFile().list())) {
      try {
        names.add(Files.readString(TASKS.resolve(task).resolve("comm")).strip());
      } catch (IOException ended) {
        // It is no thread any more.
      }
    }
    return names;
  }
}
