package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.AppliedLimit;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.cgroup.Usage;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What the JDK alone makes of a job, as on systems that are not Linux. */
@HostAndGuest
@Timeout(120)
class ProcessTreeTest {
  @RegisterExtension final Marked mark = Marked.fresh();
  @TempDir Path folder;

  @Test
  void aRunHasItsOutputAndItsExitCode() throws Exception {
    Result result = run(Command.of("sh", "-c", "echo out; echo err >&2; exit 3")).capture();
    assertThat(result.mechanism()).isEqualTo(Mechanism.PROCESS_TREE);
    assertThat(result.mechanism().caveat().orElseThrow()).contains("has escaped");
    assertThat(result.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(result.exit().orElseThrow())
        .isEqualTo(new Child.Exit(3, java.util.Optional.empty()));
    assertThat(result.stdout().text()).isEqualTo("out\n");
    assertThat(result.stderr().text()).isEqualTo("err\n");
    assertThat(result.stdout().isComplete()).isTrue();
    assertThat(result.usage()).as("nothing counts it").isEqualTo(Usage.NONE);
    assertThat(result.cgroupPaths()).isEmpty();
    assertThat(result.cleanup().removed()).isTrue();
    assertThat(result.cleanup().killedMembers()).isZero();
  }

  @Test
  void streamsGoWhereTheyShall() throws Exception {
    Command cat = Command.of("cat");
    assertThat(run(cat).capture().stdout().bytes()).isEmpty();
    assertThat(run(cat.stdin(Input.text("grüße"))).capture().stdout().text()).isEqualTo("grüße");
    byte[] much = new byte[1 << 20];
    assertThat(run(cat.stdin(Input.bytes(much))).capture().stdout().bytes()).isEqualTo(much);
    Path file = Files.writeString(folder.resolve("in"), "from a file");
    assertThat(run(cat.stdin(Input.file(file))).capture().stdout().text()).isEqualTo("from a file");
    assertThatThrownBy(() -> run(cat.stdin(Input.file(folder.resolve("none")))).capture())
        .hasMessageContaining("none");
    Path out = folder.resolve("out");
    Command both = Command.of("sh", "-c", "echo one; echo two >&2").stderr(Output.merged());
    run(both.stdout(Output.file(out))).run();
    run(both.stdout(Output.append(out))).run();
    assertThat(out).hasContent("one\ntwo\none\ntwo\n");
    assertThat(run(both.stdout(Output.pipe())).capture().stdout().text()).isEqualTo("one\ntwo\n");
    assertThat(run(both.stdout(Output.discard())).run().isSuccess()).isTrue();
  }

  @Test
  void whatIsWrittenToAPipeIsThere() throws Exception {
    try (Job job = open()) {
      Child child =
          job.start(
              Command.of("sh", "-c", "read a; echo got $a; read b; echo got $b")
                  .stdin(Input.pipe())
                  .stdout(Output.pipe()));
      for (String word : List.of("one", "two")) {
        OutputStream stdin = child.stdin();
        stdin.write((word + "\n").getBytes(StandardCharsets.UTF_8));
        byte[] answer = child.stdout().readNBytes(("got " + word + "\n").length());
        assertThat(new String(answer, StandardCharsets.UTF_8)).isEqualTo("got " + word + "\n");
      }
      assertThat(child.waitFor().isSuccess()).isTrue();
      assertThatThrownBy(child::stderr).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void environmentAndDirectoryAreTheCommands() throws Exception {
    Command env = Command.of("/usr/bin/env");
    assertThat(run(env.environment(Environment.empty().with("A", "b"))).capture().stdout().text())
        .isEqualTo("A=b\n");
    String inherited =
        run(env.environment(Environment.inherited().without("PATH").with("A", "b")))
            .capture()
            .stdout()
            .text();
    assertThat(inherited.lines())
        .contains("A=b")
        .noneMatch(line -> line.startsWith("PATH="))
        .hasSizeGreaterThan(1);
    assertThat(
            run(env.environment(Environment.inheriting(name -> name.equals("PATH"))))
                .capture()
                .stdout()
                .text())
        .isEqualTo("PATH=" + System.getenv("PATH") + "\n");
    assertThat(run(Command.of("pwd").directory(folder)).capture().stdout().text())
        .isEqualTo(folder.toRealPath() + "\n");
  }

  @Test
  void whatCannotBeStartedSaysWhy() throws Exception {
    assertThatThrownBy(() -> run(Command.of("no-such-program")).run())
        .isInstanceOfSatisfying(
            StartException.class,
            failure -> {
              assertThat(failure.isNotFound()).isTrue();
              assertThat(failure.result().orElseThrow().outcome())
                  .isEqualTo(Outcome.FAILED_TO_START);
            });
    assertThatThrownBy(() -> run(Command.of("/etc/passwd")).run())
        .isInstanceOfSatisfying(
            StartException.class, failure -> assertThat(failure.isNotExecutable()).isTrue());
    assertThatThrownBy(() -> run(Command.of("true").directory(folder.resolve("none"))).run())
        .isInstanceOfSatisfying(
            StartException.class,
            failure -> {
              assertThat(failure.isNotFound()).isFalse();
              assertThat(failure).hasMessageContaining("none is no directory");
            });
  }

  @Test
  void aTimeoutAsksAndThenEndsTheTree() throws Exception {
    Running running =
        run(Trees.perl(
                "use POSIX; for (1..3) { if (!fork) { POSIX::setsid(); $SIG{TERM}='IGNORE';"
                    + " fork; sleep 1000; exit } } $SIG{TERM}='IGNORE'; sleep 1000;",
                mark))
            .timeout(Duration.ofSeconds(5))
            .grace(Duration.ofMillis(300))
            .start();
    mark.await(7);
    Result result = running.await();
    assertThat(mark.alive()).isEmpty();
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.exit().orElseThrow().signal()).contains(Signal.KILL);
    assertThat(result.cleanup().killedMembers()).isEqualTo(7);
    assertThat(result.wall()).isBetween(Duration.ofMillis(5300), Duration.ofSeconds(30));
  }

  @Test
  void whoeverListensIsAskedOnly() throws Exception {
    Result result =
        run(Trees.perl("$SIG{TERM}=sub { exit 9 }; sleep 1000 while 1;", mark))
            .timeout(Duration.ofSeconds(2))
            .run();
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.exit().orElseThrow().code()).isEqualTo(9);
  }

  @Test
  void aShellThatStartsAnotherInThePlaceOfItsChildIsEnded() throws Exception {
    for (int round = 0; round < 5; round++) {
      try (Job job = open()) {
        job.start(
            Command.of(
                "sh", "-c", "while :; do perl -e 'sleep 1000' $0 & wait; done", mark.text()));
        mark.await(2);
      }
      assertThat(mark.alive()).isEmpty();
    }
  }

  @Test
  void theJobStaysUsable() throws Exception {
    try (Job job = open()) {
      assertThat(job.members()).isEmpty();
      assertThat(job.awaitEmpty(Duration.ZERO)).isTrue();
      Child child = job.start(Trees.sessions(3, mark));
      mark.await(4);
      assertThat(job.members()).hasSize(4).contains(child.pid());
      assertThat(job.awaitEmpty(Duration.ofMillis(50))).isFalse();
      job.kill();
      assertThat(mark.alive()).isEmpty();
      assertThat(job.members()).isEmpty();
      assertThat(child.waitFor().signal()).contains(Signal.KILL);
      assertThat(job.start(Command.of("sh", "-c", "exit 5")).waitFor().code()).isEqualTo(5);
      Child asked = job.start(Trees.sleeper(mark));
      assertThat(asked.signal(Signal.TERM)).isTrue();
      assertThat(asked.waitFor().signal()).contains(Signal.TERM);
      assertThat(asked.signal(Signal.TERM)).isFalse();
    }
  }

  /** The control: what ended it is known only where we did. */
  @Test
  void aSignalOfOthersIsANumber() throws Exception {
    Result result = run(Command.of("sh", "-c", "kill -9 $$")).run();
    assertThat(result.exit().orElseThrow().code()).isEqualTo(137);
    assertThat(result.exit().orElseThrow().signal()).isEmpty();
  }

  @Test
  void whoWasSeenInTimeIsFoundWithoutItsParent() throws Exception {
    Command leaves =
        Trees.perl("use POSIX; if (!fork) { POSIX::setsid(); sleep 1000 } <STDIN>", mark);
    try (Job job = open()) {
      Child child = job.start(leaves.stdin(Input.pipe()));
      mark.await(2);
      assertThat(job.members()).hasSize(2);
      child.stdin().close();
      child.waitFor();
      assertThat(job.members()).hasSize(1);
    }
    assertThat(mark.alive()).isEmpty();
  }

  /** What the caveat says: if this fails one day, the caveat is to be mended. */
  @Test
  void whoWasNotSeenHasEscaped() throws Exception {
    try (Job job = open()) {
      job.start(Trees.daemon(mark)).waitFor();
      mark.await(1);
      assertThat(job.members()).isEmpty();
    }
    assertThat(mark.alive()).hasSize(1);
    mark.end();
    mark.await(0);
  }

  @Test
  void withoutEscalationTheMembersLiveOn() throws Exception {
    try (Job job = open()) {
      Child stubborn = job.start(Trees.stubborn(mark).stdout(Output.pipe()));
      assertThat(stubborn.stdout().readNBytes(6)).asString().isEqualTo("ready\n");
      StopReport report = job.stop(Signal.TERM, Duration.ofMillis(1), false);
      assertThat(report.killed()).isFalse();
    }
    assertThat(mark.alive()).hasSize(1);
    mark.end();
    mark.await(0);
  }

  @Test
  void whatItCannotDoItRefuses() throws Exception {
    Limits limits = Limits.builder().memory("64M").pids(3).build();
    assertThatThrownBy(() -> builder().limits(limits).open())
        .isInstanceOf(HoldfastException.class)
        .hasMessageMatching("cannot limit memory with process-tree: .+ \\(.+\\)");
    assertThatThrownBy(() -> run(Command.of("true")).cpuTime(Duration.ofSeconds(1)).run())
        .hasMessageMatching("cannot limit cpu-time with process-tree: .+ \\(.+\\)");
    assertThatThrownBy(() -> run(Trees.sleeper(mark)).signal(Signal.INT).run())
        .hasMessageContaining("cannot send signal 2 with process-tree");
    try (Job job = builder().limits(limits).bestEffort(true).open()) {
      Child child = job.start(Trees.sleeper(mark));
      assertThat(job.limits()).hasSize(2).noneMatch(AppliedLimit::isEnforced);
      assertThat(job.limits()).allMatch(row -> row.by().isEmpty() && row.reason().isPresent());
      for (org.assertj.core.api.ThrowableAssert.ThrowingCallable refused :
          List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
              job::freeze,
              job::thaw,
              () -> job.signal(Signal.USR1),
              () -> child.signal(Signal.HUP),
              () -> job.adopt(ProcessHandle.current()),
              job::statistics,
              () -> job.start(Command.of("true").nice(3)),
              () -> job.start(Command.of("true").umask(0)),
              () -> job.start(Command.of("true").identity(new Identity(1, 1, List.of()))),
              () ->
                  job.start(Command.of("true").resourceLimit(ResourceLimit.parse("nofile=99"))))) {
        assertThatThrownBy(refused)
            .isInstanceOf(HoldfastException.class)
            .hasMessageContaining("process-tree")
            .hasMessageMatching(".+: .+ \\(.+\\)");
      }
      assertThat(mark.await(1)).containsExactly((long) child.pid());
      job.close();
      assertThatThrownBy(() -> job.start(Command.of("true")))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void theEndOfTheJvmEndsTheJobButKillingItDoesNot() throws Exception {
    for (String how : List.of("exit", "killed")) {
      Process jvm = Jvm.start(Victim.class, how, mark.text());
      assertThat(Jvm.line(jvm)).isEqualTo("ready");
      if (how.equals("exit")) {
        jvm.outputWriter().close();
      } else {
        jvm.destroyForcibly();
      }
      jvm.waitFor();
      assertThat(mark.alive()).as(how).hasSize(how.equals("exit") ? 0 : 3);
      mark.end();
      mark.await(0);
    }
  }

  /** Has a tree, and leaves it to the shutdown hook when its stdin ends. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[1]);
      Job job = open();
      job.start(Trees.sessions(2, mark).stdout(Output.discard()));
      mark.await(3 + 1);
      System.out.println("ready");
      while (System.in.read() >= 0) {
        // nobody says anything
      }
      System.out.println(job);
    }
  }

  /** Nothing of ours asks the kernel; the control is the next rung of the ladder. */
  @Test
  void noSystemCallIsMade() throws Exception {
    Process jvm = Jvm.start(Untouched.class, mark.text());
    assertThat(jvm.inputReader().lines().toList())
        .containsExactly("EXITED TIMED_OUT: not touched", "process-group: touched");
    assertThat(jvm.waitFor()).isZero();
  }

  /** Does much with a process tree and little with a process group. */
  static final class Untouched {
    private Untouched() {}

    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[0]);
      Result captured = run(Command.of("cat").stdin(Input.text("x"))).capture();
      // Nobody escapes who forks no more; and whoever held our stdout would be waited for.
      Running sessions =
          run(Trees.sessions(2, mark).stdout(Output.discard()))
              .timeout(Duration.ofSeconds(5))
              .start();
      mark.await(3 + 1);
      Result ended = sessions.await();
      try (Job job = open()) {
        job.start(Trees.sleeper(mark));
        job.members();
        job.stop(Signal.TERM, Duration.ofSeconds(5), true);
      }
      System.out.println(captured.outcome() + " " + ended.outcome() + ": " + kernel());
      try (Job job = Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open()) {
        job.start(Command.of("true")).waitFor();
      }
      System.out.println("process-group: " + kernel());
    }

    private static String kernel() throws ReflectiveOperationException {
      var field = Class.forName("dev.holdfast.linux.Kernel").getDeclaredField("instance");
      field.setAccessible(true);
      return field.get(null) == null ? "not touched" : "touched";
    }
  }

  @Test
  void aForgottenJobIsClosed() throws Exception {
    forget();
    mark.await(1);
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> {
          System.gc();
          return mark.alive().isEmpty();
        });
  }

  private void forget() throws Exception {
    open().start(Trees.sleeper(mark));
  }

  private static Job.Builder builder() {
    return Job.builder().mechanism(MechanismChoice.PROCESS_TREE);
  }

  private static Job open() throws Exception {
    return builder().open();
  }

  private static Run run(Command command) {
    return Run.of(command).mechanism(MechanismChoice.PROCESS_TREE);
  }
}
