package dev.holdfast.bench;

import dev.holdfast.Child;
import dev.holdfast.Command;
import dev.holdfast.Job;
import dev.holdfast.Output;
import dev.holdfast.Run;
import dev.holdfast.cgroup.Limits;
import java.io.IOException;

/** What Holdfast is measured with: memory, cpu and pids limits are on. */
final class Limited {
  private Limited() {}

  /** Limits of an ordinary job. */
  static Limits limits() {
    return Limits.builder().memory("256M").cpus("1").pids(64).build();
  }

  static Job job() throws IOException {
    return Job.builder().limits(limits()).open();
  }

  /** One that has room for {@code processes}. */
  static Job roomyJob(int processes) throws IOException {
    return Job.builder()
        .limits(Limits.builder().memory("4G").cpus("2").pids(processes + 16L).build())
        .open();
  }

  /** A command whose streams are /dev/null, as those of the others. */
  static Command quiet(String program, String... arguments) {
    return Command.of(program, arguments).stdout(Output.discard()).stderr(Output.discard());
  }

  static void startAndReap(Job job, Command command) throws IOException, InterruptedException {
    if (!job.start(command).waitFor().isSuccess()) {
      throw new IOException(command + " failed");
    }
  }

  static void runInOwnJob(Command command) throws IOException, InterruptedException {
    Run.of(command).limits(limits()).run().ensureSuccess();
  }

  /** The same by hand. */
  static void openStartClose(Command command) throws IOException, InterruptedException {
    try (Job job = job()) {
      Child child = job.start(command);
      if (!child.waitFor().isSuccess()) {
        throw new IOException(command + " failed");
      }
      job.limits();
      job.usage();
    }
  }
}
