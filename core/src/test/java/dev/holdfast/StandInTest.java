package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits of processes in the place of limits of a job, for those who take the best effort. */
@HostAndGuest
@Timeout(120)
class StandInTest {
  private static final String ALLOCATE = "$n = 300000000; $x = 'a' x $n; print 'got it'";

  private static final int EAGAIN = 11;

  /** Somebody who has no process. */
  private static final Identity SOMEBODY = new Identity(47110, 47110, List.of());

  private static final Limits MEMORY = Limits.builder().memory("64M").build();
  private static final Limits TASKS = Limits.builder().pids(4).build();

  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  void memoryIsTheAddressesOfAProcess() throws Exception {
    Result free = run(Limits.NONE, Command.of("perl", "-e", ALLOCATE));
    assertThat(free.stdout().text()).isEqualTo("got it");

    Result limited = run(MEMORY, Command.of("perl", "-e", ALLOCATE));

    assertThat(limited.stdout().text()).isEmpty();
    assertThat(limited.stderr().text()).containsIgnoringCase("out of memory");
    assertThat(limited.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(limited.isSuccess()).isFalse();
    AppliedLimit row = limited.limits().getFirst();
    assertThat(row.kind()).isEqualTo(LimitKind.MEMORY);
    assertThat(row.requested()).contains("64M");
    assertThat(row.status()).isEqualTo(AppliedLimit.Status.UNENFORCED);
    assertThat(row.by()).contains("RLIMIT_AS");
    assertThat(row.effective()).isEmpty();
    assertThat(row.reason().orElseThrow()).contains("process-group was asked for");
    assertThat(limited.evidence(row)).isEqualTo(AppliedLimit.Evidence.UNKNOWN);
  }

  @Test
  @Needs(Feature.ROOT)
  void tasksAreThoseOfTheUser() throws Exception {
    Command forks = Trees.forks(mark).identity(SOMEBODY);
    try (Job job = open(Limits.NONE)) {
      assertThat(line(job.start(forks))).isEqualTo("30 0");
    }
    try (Job job = open(TASKS)) {
      assertThat(line(job.start(forks))).isEqualTo("3 " + EAGAIN);
      AppliedLimit row = job.limits().getFirst();
      assertThat(row.by()).contains("RLIMIT_NPROC");
      assertThat(row.isEnforced()).isFalse();
      assertThat(row.reason().orElseThrow()).contains("user 47110");
      // Its own members count for it, those of another job do not.
      assertThat(line(job.start(forks))).isEqualTo("0 " + EAGAIN);
      try (Job other = open(TASKS)) {
        assertThat(line(other.start(forks))).isEqualTo("3 " + EAGAIN);
      }
    }
  }

  @Test
  @Needs(Feature.ROOT)
  void nothingHoldsTheTasksOfRoot() throws Exception {
    try (Job job = open(TASKS)) {
      Child child = job.start(Trees.sleeper(mark));
      AppliedLimit row = job.limits().getFirst();
      assertThat(row.by()).isEmpty();
      assertThat(row.reason().orElseThrow()).contains("root");
      assertThat(limit(child, "Max processes")).isEqualTo(ownLimit("Max processes"));
    }
  }

  @Test
  void whatTheCommandAsksForItselfStays() throws Exception {
    Command command =
        Trees.sleeper(mark).resourceLimit(ResourceLimit.parse("as=1073741824:2147483648"));
    try (Job job = open(MEMORY)) {
      Child child = job.start(command);
      assertThat(limit(child, "Max address space")).isEqualTo("1073741824 2147483648 bytes");
      assertThat(job.limits().getFirst().by()).isEmpty();
      assertThat(job.limits().getFirst().reason().orElseThrow()).contains("RLIMIT_AS of its own");
      // The control, and the row is that of the last start.
      Child plain = job.start(Trees.sleeper(mark));
      assertThat(limit(plain, "Max address space")).isEqualTo("67108864 67108864 bytes");
      assertThat(job.limits().getFirst().by()).contains("RLIMIT_AS");
    }
  }

  @Test
  void aChangeIsForLaterStarts() throws Exception {
    try (Job job = open(MEMORY)) {
      job.limit(Limits.builder().memory("128M").build());
      Child child = job.start(Trees.sleeper(mark));
      assertThat(limit(child, "Max address space")).isEqualTo("134217728 134217728 bytes");
      job.limit(Limits.builder().memory("max").build());
      Child free = job.start(Trees.sleeper(mark));
      assertThat(limit(free, "Max address space")).isEqualTo(ownLimit("Max address space"));
      assertThat(job.limits().getFirst().by()).isEmpty();
    }
  }

  @Test
  void whereLimitsHoldOrAreRequiredNothingStandsIn() throws Exception {
    try (Job job = Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open()) {
      Child child = job.start(Trees.sleeper(mark));
      assertThat(limit(child, "Max address space")).isEqualTo(ownLimit("Max address space"));
      assertThatThrownBy(() -> job.limit(MEMORY)).hasMessageContaining("process-group");
      Child later = job.start(Trees.sleeper(mark));
      assertThat(limit(later, "Max address space")).isEqualTo(ownLimit("Max address space"));
    }
    try (Job job = Job.builder().bestEffort(true).limits(MEMORY).open()) {
      assertThat(job.mechanism().isCgroup()).isTrue();
      Child child = job.start(Trees.sleeper(mark));
      assertThat(limit(child, "Max address space")).isEqualTo(ownLimit("Max address space"));
    }
  }

  private static Job open(Limits limits) throws Exception {
    return Job.builder()
        .mechanism(MechanismChoice.PROCESS_GROUP)
        .bestEffort(true)
        .limits(limits)
        .open();
  }

  private static Result run(Limits limits, Command command) throws Exception {
    return Run.of(command)
        .mechanism(MechanismChoice.PROCESS_GROUP)
        .bestEffort(true)
        .limits(limits)
        .capture();
  }

  private static String line(Child child) throws Exception {
    return new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.UTF_8))
        .readLine();
  }

  private static String limit(Child child, String name) throws Exception {
    return limit(Integer.toString(child.pid()), name);
  }

  private static String ownLimit(String name) throws Exception {
    return limit("self", name);
  }

  private static String limit(String process, String name) throws Exception {
    try (var lines = Files.lines(Path.of("/proc", process, "limits"))) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(name.length()).strip().replaceAll(" +", " "))
          .findFirst()
          .orElseThrow();
    }
  }
}
