package dev.holdfast;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.PressureKind;
import dev.holdfast.cgroup.Watch;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** The examples of the documentation: {@link ExamplesTest} holds them equal, and runs them. */
final class Examples {
  private Examples() {}

  /** README.md, and the package {@code dev.holdfast.cgroup}. */
  static void cgroup() throws Exception {
    Delegation ours = Delegation.find(); // or the reason and the remedy
    try (Cgroup job = ours.create("make-" + ProcessHandle.current().pid())) {
      job.apply(Limits.builder().memory("512M").pids(100).build());
      Process make = new ProcessBuilder("make").start();
      job.attach(make.pid()); // and whatever it starts from now on
      if (!job.awaitEmpty(Duration.ofMinutes(5))) {
        System.err.println("too slow: " + job.members());
      }
      job.usage().memory().peak().ifPresent(System.out::println);
    } // ends what is left, and removes the group
  }

  /** The package {@code dev.holdfast.cgroup}. */
  static void warning(Cgroup job) throws Exception {
    Runnable warn = () -> System.err.println("little memory left: " + job);
    Duration stall = Duration.ofMillis(150);
    Duration window = Duration.ofSeconds(2);
    try (Watch watch =
        job.paths().containsKey("memory") // v1 has the memory: it tells of amounts, v2 of waiting
            ? job.onMemoryUse(400 << 20, warn)
            : job.onPressure(PressureKind.MEMORY, false, stall, window, warn)) {
      job.awaitEmpty(Duration.ofMinutes(5));
    }
  }

  /** {@link Job}. */
  static void job() throws IOException, InterruptedException {
    try (Job job = Job.builder().limits(Limits.builder().memory("64M").pids(32).build()).open()) {
      Child child = job.start(Command.of("make", "-j4"));
      child.waitFor();
    }
  }

  /** README.md. */
  static Result readme(Path project, String file) throws IOException, InterruptedException {
    try (Job job = Job.builder().limits(Limits.builder().memory("64M").pids(32).build()).open()) {
      Child child = job.start(Command.of("make", "-j4").directory(project));
      child.waitFor();
      System.out.println(job.usage().cpu().total());
    } // the whole tree is gone here

    Result result =
        Run.of(Command.of("sort", "--unique", file))
            .limits(Limits.builder().memory("1G").cpus(1.5).build())
            .timeout(Duration.ofMinutes(5))
            .capture();
    System.out.println(result.outcome()); // EXITED, OOM_KILLED, TIMED_OUT and so on
    return result;
  }
}
