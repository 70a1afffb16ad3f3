package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.linux.FaultMatrix;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.SlowInGuests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every change that a job makes in the kernel's filesystem, failing in every way: it is said
 * clearly, no process is left and no directory, and the limits of a job that goes on are what it
 * says they are.
 */
@EveryKernel
@SlowInGuests
@Needs(Feature.ROOT)
@Timeout(900)
class JobFaultTest {
  private static final List<String> FALL_BACKS =
      List.of(
          // One by one, while they are frozen if that is possible.
          "(openat|write) cgroup.kill .*",
          // Before Linux 5.7: nested groups that vanish go unnoticed.
          "fsetxattr user.holdfast EOPNOTSUPP",
          // Before Linux 4.19, or without the controller.
          "(openat|write) memory.oom.group ENOENT");

  private final List<Job> jobs = new ArrayList<>();
  private final List<Process> processes = new ArrayList<>();

  @Test
  void aJob() throws Exception {
    Limits first = holding("256M", "1M", "64", "0.5");
    Limits second = holding("128M", "2M", "32", "1");
    Marked mark = Marked.fresh();
    List<Path> anchors = new ArrayList<>();
    try (Job job = Job.builder().limits(first).open()) {
      for (Path directory : Groups.directoriesOf(job)) {
        anchors.add(directory.getParent());
      }
      // So much for the control: what is looked for is found while it is there.
      job.start(Trees.sleeper(mark));
      mark.await(1);
      assertThat(jobsIn(anchors)).containsAll(Groups.directoriesOf(job));
    }
    // Jobs that other tests forgot are closed when the collector comes to them.
    List<Path> forgotten = jobsIn(anchors);
    FaultMatrix matrix = new FaultMatrix();
    matrix.run(
        attempts ->
            attempts.attempt(() -> {
              Job job = Job.builder().limits(first).open();
              jobs.add(job);
              List<AppliedLimit> before = job.limits();
              attempts.attempt(() -> job.start(Trees.sleeper(mark)));
              attempts.attempt(() -> {
                try {
                  job.limit(second);
                } catch (IOException refused) {
                  assertThat(job.limits()).isEqualTo(before);
                  job.limit(Limits.builder().oomGroup(true).build());
                  throw refused;
                }
              });
              Process process = new ProcessBuilder("perl", "-e", "sleep 1000", mark.text()).start();
              processes.add(process);
              attempts.attempt(() -> job.adopt(process.toHandle()));
              attempts.attempt(job::freeze);
              attempts.attempt(job::thaw);
              attempts.attempt(job::kill);
              // It joins by write now.
              attempts.attempt(() -> job.start(Trees.sleeper(mark)));
              attempts.attempt(job::close);
            }),
        fault -> {
          for (Job job : jobs) {
            job.close();
          }
          jobs.clear();
          for (Process process : processes) {
            // One that could not be adopted is nobody's.
            process.destroyForcibly().waitFor();
          }
          processes.clear();
          List<Path> left = jobsIn(anchors);
          left.removeAll(forgotten);
          for (Path path : left) {
            Files.delete(path); // or each run after this one would complain
          }
          assertThat(left).as(fault).isEmpty();
          assertThat(mark.alive()).as(fault).isEmpty();
        });
    assertThat(matrix.runs()).isGreaterThan(50);
    assertThat(matrix.silentBut(FALL_BACKS)).isEmpty();
  }

  /** Whatever of it this kernel holds. */
  private static Limits holding(String memory, String swap, String pids, String cpus)
      throws IOException {
    Limits.Builder all = Limits.builder().oomGroup(true).memory(memory).swap(swap).pids(pids);
    all.cpus(cpus).cpusetCpus("0").memoryLow("1M");
    Limits.Builder holding = Limits.builder().oomGroup(true);
    try (Job job = Job.builder().bestEffort(true).limits(all.build()).open()) {
      for (AppliedLimit row : job.limits()) {
        if (row.isEnforced()) {
          holding.set(row.kind(), row.requested().orElseThrow());
        }
      }
    }
    return holding.build();
  }

  private static List<Path> jobsIn(List<Path> anchors) throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path anchor : anchors) {
      try (var all = Files.list(anchor)) {
        all.filter(path -> path.getFileName().toString().startsWith("job-")).forEach(found::add);
      }
    }
    return found;
  }
}
