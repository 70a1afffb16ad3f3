package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.LimitValue;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Unprivileged;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An ordinary user in a delegated scope gets all of a job, and no more than a user may. */
@Unprivileged
@Needs({Feature.UNPRIVILEGED, Feature.PURE_V2, Feature.MEMORY, Feature.PIDS})
@Timeout(120)
class UnprivilegedTest {
  /** A copy of setpriv with root's rights, which {@code kernels/qemu-setup} makes. */
  private static final String SETPRIV = "/usr/local/bin/holdfast-setpriv";

  private static final String TRAP =
      "$|=1; $SIG{USR1}=sub{ exit 7 }; print \"ready\\n\"; sleep 1000 while 1;";

  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  void theHostSaysThatAScopeIsEnough() {
    Host host = Host.probe();
    assertThat(host.available()).isTrue();
    assertThat(host.mechanism()).isEqualTo(Mechanism.CGROUP_V2);
    assertThat(host.delegation()).isIn("leaf", "owned");
    assertThat(host.reason()).isEmpty();
  }

  @Test
  void limitsAreEnforced() throws Exception {
    Result result =
        Run.of(Trees.perl("$x = 'a' x 300000000; sleep 100", mark))
            .limits(Limits.builder().memory("64M").pids(8).build())
            .run();
    assertThat(result.outcome()).isEqualTo(Outcome.OOM_KILLED);
    assertThat(result.mechanism()).isEqualTo(Mechanism.CGROUP_V2);
    assertThat(result.usage().memory().oomKills().orElseThrow()).isPositive();
    assertThat(result.limits())
        .allMatch(limit -> limit.isEnforced())
        .anyMatch(limit ->
            limit.kind() == LimitKind.MEMORY
                && limit.effective().equals(java.util.Optional.of(LimitValue.count(67108864))))
        .anyMatch(limit ->
            limit.kind() == LimitKind.PIDS
                && limit.effective().equals(java.util.Optional.of(LimitValue.count(8))));
    assertThat(result.cleanup().removed()).isTrue();
  }

  @Test
  void closingEndsTheTreeAndRemovesItsGroups() throws Exception {
    List<Path> directories;
    try (Job job = Job.builder().limits(Limits.builder().memory("64M").pids(8).build()).open()) {
      job.start(Trees.daemon(mark)).waitFor();
      job.start(Trees.sessions(3, mark));
      mark.await(5);
      directories = Groups.directoriesOf(job);
      assertThat(directories).isNotEmpty().allSatisfy(path -> assertThat(path).exists());
      assertThat(job.members()).hasSize(5);
      job.close();
      assertThat(job.cleanup().orElseThrow().killedMembers()).isEqualTo(5);
    }
    assertThat(mark.alive()).isEmpty();
    assertThat(directories).allSatisfy(path -> assertThat(path).doesNotExist());
  }

  @Test
  void aMemberOfAnotherUserIsReportedOnceTheRestAreSignalled() throws Exception {
    List<Path> directories;
    try (Job job = Job.open()) {
      // One on each side, whatever order the kernel lists them in.
      Child before = startReady(job, Trees.perl(TRAP, mark));
      Child foreign = startReady(job, foreign(TRAP));
      Child after = startReady(job, Trees.perl(TRAP, mark));
      directories = Groups.directoriesOf(job);
      assertThat(Files.getAttribute(Path.of("/proc/" + foreign.pid()), "unix:uid")).isEqualTo(1234);
      assertThatThrownBy(() -> job.signal(Signal.USR1))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("EPERM")
          .hasMessageContaining(Long.toString(foreign.pid()));
      assertThat(before.waitFor().code()).isEqualTo(7);
      assertThat(after.waitFor().code()).isEqualTo(7);
      assertThat(mark.alive()).containsExactly((long) foreign.pid());
      // Ending it is the group's matter, not the process's: cgroup.kill asks for no permission on
      // it.
      job.close();
      assertThat(job.cleanup().orElseThrow().killedMembers()).isEqualTo(1);
      assertThat(foreign.waitFor().signal()).contains(Signal.KILL);
    }
    assertThat(mark.alive()).isEmpty();
    assertThat(directories).allSatisfy(path -> assertThat(path).doesNotExist());
  }

  @Test
  void aMemberOfAnotherUserCostsTheRestNoGrace() throws Exception {
    try (Job job = Job.open()) {
      startReady(job, foreign(TRAP));
      // Takes its time to end, and tells that it had it.
      Child slow =
          startReady(
              job,
              Trees.perl(
                  "$|=1; $SIG{TERM}=sub{ select(undef,undef,undef,0.5); exit 9 };"
                      + " print \"ready\\n\"; sleep 1000 while 1;",
                  mark));
      StopReport report = job.stop(Signal.TERM, Duration.ofSeconds(5), true);
      assertThat(slow.waitFor().code()).isEqualTo(9);
      assertThat(report.survivors()).isEqualTo(1);
      assertThat(report.killed()).isTrue();
      assertThat(mark.alive()).isEmpty();
    }
  }

  @Test
  void aMemberOfAnotherUserEndsWithTheTimeLimit() throws Exception {
    Command command =
        Command.of(
            "sh",
            "-c",
            "trap 'sleep 0.5; exit 9' TERM; \"$@\" & wait; wait",
            "sh",
            SETPRIV,
            "--reuid=1234",
            "--clear-groups",
            "perl",
            "-e",
            "sleep 1000",
            mark.text());
    Result result =
        Run.of(command).timeout(Duration.ofSeconds(3)).grace(Duration.ofSeconds(4)).run();
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.exit().orElseThrow().status()).isEqualTo(9);
    assertThat(result.cleanup().removed()).isTrue();
    assertThat(mark.alive()).isEmpty();
  }

  private Command foreign(String program) {
    return Command.of(
        SETPRIV, "--reuid=1234", "--clear-groups", "perl", "-e", program, mark.text());
  }

  private static Child startReady(Job job, Command command) throws Exception {
    Child child = job.start(command.stdout(Output.pipe()));
    BufferedReader reader =
        new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.UTF_8));
    assertThat(reader.readLine()).isEqualTo("ready");
    return child;
  }
}
