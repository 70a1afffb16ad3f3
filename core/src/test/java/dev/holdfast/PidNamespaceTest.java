package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.Unprivileged;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What a job in a pid namespace promises, judged by the process table: as root, and as a user
 * without any cgroup ({@link PidNamespaceAsNobodyTest}).
 */
@HostAndGuest
@Unprivileged
@Needs(Feature.PID_NAMESPACES)
@Timeout(180)
class PidNamespaceTest {
  @RegisterExtension final Marked mark = Marked.fresh();

  static Job open() throws IOException {
    return Job.builder().mechanism(MechanismChoice.PID_NAMESPACE).open();
  }

  @Test
  void frozenMembersUseNoCpuGoOnWhenThawedAndCanBeKilled() throws Exception {
    try (Job job = open()) {
      job.start(Trees.busy(mark));
      job.start(Trees.perl("exit if fork; 1 while 1", mark)).waitFor();
      mark.await(2);
      job.freeze();
      Duration frozen = cpu(job);
      // This is a measurement of one second, not a wait for something to happen.
      assertThat(job.awaitEmpty(Duration.ofSeconds(1))).isFalse();
      assertThat(cpu(job).minus(frozen)).isLessThan(Duration.ofMillis(20));
      assertThatThrownBy(() -> job.start(Command.of("true")))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("frozen")
          .hasMessageContaining("thaw");
      job.thaw();
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> cpu(job).minus(frozen).toMillis() > 100);
      job.freeze();
      job.kill();
      assertThat(mark.alive()).isEmpty();
      assertThat(job.start(Command.of("true")).waitFor().status()).isZero();
    }
  }

  @Test
  void signalsReachAllAndStoppingAsksFirst() throws Exception {
    String trap = "$|=1; $SIG{USR1}=sub{ exit 7 }; print qq(ready\\n); sleep 1000 while 1;";
    try (Job job = open()) {
      Child first = ready(job, trap);
      Child second = ready(job, trap);
      job.signal(Signal.USR1);
      assertThat(first.waitFor().code()).isEqualTo(7);
      assertThat(second.waitFor().code()).isEqualTo(7);

      ready(job, "$SIG{TERM}='IGNORE'; $|=1; print qq(ready\n); sleep 1000 while 1;");
      Child slow =
          ready(
              job,
              "$|=1; $SIG{TERM}=sub{ select(undef,undef,undef,0.3); exit 9 };"
                  + " print qq(ready\\n); sleep 1000 while 1;");
      StopReport report = job.stop(Signal.TERM, Duration.ofSeconds(1), true);
      assertThat(slow.waitFor().code()).isEqualTo(9);
      assertThat(report.members()).isEqualTo(2);
      assertThat(report.survivors()).isEqualTo(1);
      assertThat(mark.alive()).isEmpty();

      job.start(Trees.perl("exit if fork; select(undef,undef,undef,0.5)", mark)).waitFor();
      assertThat(job.awaitEmpty(Duration.ofMillis(1))).isFalse();
      assertThat(job.awaitEmpty(Duration.ofSeconds(60))).isTrue();
      assertThat(mark.alive()).isEmpty();
    }
  }

  @Test
  void theReleasedLiveOnAndTheirNamespaceEndsWithThem() throws Exception {
    long before = init();
    Job job = open();
    job.start(Trees.stubborn(mark));
    job.start(Trees.daemon(mark)).waitFor();
    mark.await(2);
    job.stop(Signal.TERM, Duration.ofMillis(10), false);
    job.start(Trees.sleeper(mark));
    mark.await(3);
    job.close();
    assertThat(mark.await(3)).hasSize(3);
    assertThat(init()).isNotEqualTo(before);
    mark.end();
    Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> init() == before);
  }

  @Test
  void theUsageIsWhatTheKernelTellsOfAllEndedOrKilled() throws Exception {
    String burn = "while ((times)[0] < 0.3) { $i++ for 1..1000 }";
    Usage last;
    try (Job job = open()) {
      job.start(Trees.perl(burn, mark)).waitFor();
      assertThat(cpu(job)).isBetween(Duration.ofMillis(280), Duration.ofSeconds(10));
      assertThat(job.usage().pids().current()).hasValue(0);

      // An orphan, which the first process waits for.
      job.start(Trees.perl("exit if fork; " + burn, mark)).waitFor();
      assertThat(job.awaitEmpty(Duration.ofSeconds(60))).isTrue();
      assertThat(cpu(job)).isGreaterThan(Duration.ofMillis(560));

      // And one that is killed, which nobody waits for.
      job.start(Trees.perl("exit if fork; " + burn + " sleep 1000", mark)).waitFor();
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> cpu(job).compareTo(Duration.ofMillis(840)) > 0);
      assertThat(job.usage().pids().current()).hasValue(1);
      job.close();
      last = job.usage();
    }
    assertThat(last.cpu().total().orElseThrow()).isGreaterThan(Duration.ofMillis(840));
    assertThat(last.cpu().user().orElseThrow()).isGreaterThan(Duration.ofMillis(700));
    assertThat(last.memory()).isEqualTo(Usage.Memory.NONE);
    assertThat(last.io()).isEqualTo(Usage.Io.NONE);
    assertThat(last.pids().peak()).isEmpty();
  }

  @Test
  void theCommandSeesItselfAndItsNamespaceOnly() throws Exception {
    String uid = first(new ProcessBuilder("id", "-u").start().getInputStream());
    String gid = first(new ProcessBuilder("id", "-g").start().getInputStream());
    try (Job job = open()) {
      Child child =
          job.start(
              Command.of("sh", "-c", "id -u; id -g; echo $$; pwd; echo /proc/[0-9]*; exit 5")
                  .directory(Path.of("/usr"))
                  .stdout(Output.pipe()));
      List<String> lines = lines(child);
      assertThat(child.waitFor().status()).isEqualTo(5);
      assertThat(lines).startsWith(uid, gid, "2", "/usr").hasSize(5);
      assertThat(lines.getLast()).isEqualTo("/proc/1 /proc/2");
      assertThat(job.start(Command.of("sh", "-c", "kill -TERM $$")).waitFor().signal())
          .contains(Signal.TERM);
      assertThatThrownBy(() -> job.start(Command.of("/nowhere/at-all")))
          .isInstanceOf(StartException.class)
          .hasMessageContaining("ENOENT");
    }
  }

  /** A member has a namespace of its own inside. */
  @Test
  void membersOfNestedNamespacesAreMembers() throws Exception {
    try (Job job = open()) {
      job.start(Command.of("unshare", "-Urpf", "perl", "-e", "fork; sleep 1000", mark.text()));
      mark.await(3);
      assertThat(job.members())
          .extracting(Integer::longValue)
          .containsExactlyInAnyOrderElementsOf(mark.alive());
      job.kill();
      assertThat(mark.alive()).isEmpty();
    }
  }

  @Test
  void aHundredMebibytesPassThroughPipes() throws Exception {
    long size = (Place.isGuest() ? 10L : 100L) << 20;
    try (Job job = open()) {
      Child child = job.start(Command.of("cat").stdin(Input.pipe()).stdout(Output.pipe()));
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                byte[] chunk = new byte[1 << 16];
                try (var stdin = child.stdin()) {
                  for (long sent = 0; sent < size; sent += chunk.length) {
                    stdin.write(chunk);
                  }
                } catch (IOException failure) {
                  throw new AssertionError(failure);
                }
              });
      long got = 0;
      byte[] buffer = new byte[1 << 16];
      for (int n; (n = child.stdout().read(buffer)) > 0; ) {
        got += n;
      }
      writer.join();
      assertThat(got).isEqualTo(size);
      assertThat(child.waitFor().status()).isZero();
    }
  }

  @Test
  void whatItCannotDoIsRefusedWithReasonAndRemedy() throws Exception {
    assertThatThrownBy(() ->
            Job.builder()
                .mechanism(MechanismChoice.PID_NAMESPACE)
                .limits(Limits.builder().memory("64M").build())
                .open())
        .isInstanceOf(HoldfastException.class)
        .hasMessageMatching("cannot limit memory with pid-namespace: .+ \\(.+\\)");
    assertThatThrownBy(() ->
            Run.of(Command.of("true"))
                .mechanism(MechanismChoice.PID_NAMESPACE)
                .cpuTime(Duration.ofSeconds(1))
                .run())
        .hasMessageMatching("cannot limit cpu-time with pid-namespace: .+ \\(.+\\)");
    try (Job job =
        Job.builder()
            .mechanism(MechanismChoice.PID_NAMESPACE)
            .limits(Limits.builder().memory("64M").build())
            .bestEffort(true)
            .open()) {
      assertThat(job.limits())
          .isNotEmpty()
          .allSatisfy(limit -> {
            assertThat(limit.status()).isEqualTo(AppliedLimit.Status.UNENFORCED);
            assertThat(limit.reason()).isPresent();
          });
      Process stranger = new ProcessBuilder("sleep", "1000").start();
      assertThatThrownBy(() -> job.adopt(stranger.toHandle()))
          .hasMessageMatching("cannot adopt pid \\d+ with pid-namespace: .+ \\(.+\\)");
      stranger.destroyForcibly();
    }
  }

  private Child ready(Job job, String program) throws Exception {
    Child child = job.start(Trees.perl(program, mark).stdout(Output.pipe()));
    assertThat(first(child.stdout())).isEqualTo("ready");
    return child;
  }

  /** The youngest holdfast-init that is a child of this JVM, or 0. */
  static long init() {
    return ProcessHandle.current()
        .children()
        .mapToLong(ProcessHandle::pid)
        .filter(pid -> text("/proc/" + pid + "/comm").equals("holdfast-init"))
        .max()
        .orElse(0);
  }

  private static String text(String file) {
    try {
      return Files.readString(Path.of(file)).strip();
    } catch (IOException gone) {
      return "";
    }
  }

  private static Duration cpu(Job job) throws IOException {
    return job.usage().cpu().total().orElseThrow();
  }

  private static String first(InputStream stream) throws IOException {
    return new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8)).readLine();
  }

  private static List<String> lines(Child child) throws IOException {
    return new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
  }
}
