package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.linux.Errno;
import dev.holdfast.linux.StartOutcome;
import dev.holdfast.linux.StartStep;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a command finds when it starts, and how a start fails. */
@EveryKernel
@Timeout(300)
class StartTest {
  @TempDir Path directory;

  @Test
  void captures() throws Exception {
    Result result = Command.of("sh", "-c", "echo out; echo err >&2; exit 3").capture();
    assertThat(result.stdout().text()).isEqualTo("out\n");
    assertThat(result.stderr().text()).isEqualTo("err\n");
    assertThat(result.outcome()).isEqualTo(Outcome.EXITED);
    assertThat(result.exit().orElseThrow().code()).isEqualTo(3);
    assertThat(result.isSuccess()).isFalse();
    assertThatThrownBy(result::ensureSuccess).isInstanceOf(IOException.class);
  }

  @Test
  void tellsTheSignal() throws Exception {
    Result result = Command.of("sh", "-c", "kill -TERM $$").run();
    assertThat(result.outcome()).isEqualTo(Outcome.SIGNALED);
    assertThat(result.exit().orElseThrow().signal()).contains(Signal.TERM);
    assertThat(result.exit().orElseThrow().status()).isEqualTo(143);
  }

  @Test
  void failuresNameTheProgramAndTheErrno() throws Exception {
    assertThatThrownBy(() -> Command.of("no-such-program-anywhere").run())
        .isInstanceOfSatisfying(StartException.class, e -> assertThat(e.isNotFound()).isTrue())
        .hasMessageContaining("no-such-program-anywhere")
        .hasMessageContaining("ENOENT");
    Path text = Files.writeString(directory.resolve("text"), "not a program");
    assertThatThrownBy(() -> Command.of(text.toString()).run())
        .isInstanceOfSatisfying(StartException.class, e -> assertThat(e.isNotExecutable()).isTrue())
        .hasMessageContaining("EACCES");
    text.toFile().setExecutable(true);
    assertThatThrownBy(() -> Command.of(text.toString()).run()).hasMessageContaining("ENOEXEC");
    assertThatThrownBy(() -> Command.of("true").directory(directory.resolve("none")).run())
        .isInstanceOfSatisfying(
            StartException.class, e -> assertThat(e.isNotFound() || e.isNotExecutable()).isFalse())
        .hasMessageContaining("directory");
  }

  @Test
  @Needs({Feature.ROOT, Feature.PURE_V2, Feature.MEMORY})
  void aGroupThatHoldsGroupsWithControllersTakesNoProcess() throws Exception {
    try (Job job = Job.open()) {
      Path group = Groups.directoriesOf(job).getFirst();
      Files.createDirectory(group.resolve("nested"));
      Files.writeString(group.resolve("cgroup.subtree_control"), "+memory");
      assertThatThrownBy(() -> job.start(Command.of("true")))
          .isInstanceOf(StartException.class)
          .hasMessageMatching(
              "cannot start true: .*EBUSY.* \\(disable what was enabled in cgroup.subtree_control.*");
    }
  }

  @Test
  void whatHelpsDependsOnTheError() {
    Map<Integer, String> remedies =
        Map.of(
            Errno.EAGAIN, "limit of processes",
            Errno.EMFILE, "open files",
            Errno.ENOMEM, "memory",
            Errno.EBUSY, "cgroup.subtree_control",
            Errno.EOPNOTSUPP, "threaded",
            Errno.ENODEV, "another job");
    remedies.forEach((errno, remedy) -> {
      StartOutcome.Failed failed = new StartOutcome.Failed(StartStep.CLONE, errno, 0);
      assertThat(StartException.of(Command.of("true"), failed).remedy()).contains(remedy);
    });
  }

  @Test
  void aFailedStartTellsItsResult() {
    assertThatThrownBy(() -> Command.of("no-such-program-anywhere").run())
        .isInstanceOfSatisfying(
            StartException.class,
            e -> {
              Result result = e.result().orElseThrow();
              assertThat(result.outcome()).isEqualTo(Outcome.FAILED_TO_START);
              assertThat(result.exit()).isEmpty();
              assertThat(result.cleanup().removed()).isTrue();
            });
  }

  @Test
  void seesItsSettings() throws Exception {
    String script =
        "pwd; umask; echo $V; echo ${HOME-none}; ulimit -n; nice;" + " cat /proc/$$/oom_score_adj";
    Result result =
        Command.of("/bin/sh", "-c", script)
            .directory(directory)
            .umask(027)
            .nice(5)
            .oomScoreAdj(321)
            .environment(Environment.empty().with("V", "ä b").with("PATH", "/bin:/usr/bin"))
            .resourceLimit(ResourceLimit.parse("nofile=77:88"))
            .capture();
    assertThat(result.stdout().text().lines())
        .containsExactly(
            directory.toRealPath().toString(), "0027", "ä b", "none", "77", "5", "321");
  }

  @Test
  void hasOnlyItsThreeDescriptors() throws Exception {
    // The listing itself holds a fourth one.
    Result result = Command.of("sh", "-c", "ls /proc/self/fd").capture();
    assertThat(result.stdout().text().lines()).containsExactly("0", "1", "2", "3");
  }

  @Test
  void hasDefaultSignals() throws Exception {
    Result result = Command.of("cat", "/proc/self/status").capture();
    assertThat(result.stdout().text().lines())
        .contains(
            "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000", "SigCgt:\t0000000000000000");
  }

  @Test
  void leadsASessionOfItsOwn() throws Exception {
    Result result = Command.of("sh", "-c", "cut -d' ' -f1,5,6 /proc/$$/stat").capture();
    String[] ids = result.stdout().text().strip().split(" ", -1);
    assertThat(ids[1]).isEqualTo(ids[0]);
    assertThat(ids[2]).isEqualTo(ids[0]);
  }

  @Test
  void stdinIsEmptyUnlessGiven() throws Exception {
    assertThat(Command.of("cat").capture().stdout().bytes()).isEmpty();
    assertThat(Command.of("cat").stdin(Input.text("given")).capture().stdout().text())
        .isEqualTo("given");
  }

  @Test
  void filesAndMergedStreams() throws Exception {
    Path out = directory.resolve("out");
    Command command =
        Command.of("sh", "-c", "echo a; echo b >&2")
            .stderr(Output.merged())
            .stdout(Output.file(out));
    command.run().ensureSuccess();
    assertThat(out).hasContent("a\nb");
    command.stdout(Output.append(out)).run();
    assertThat(out).hasContent("a\nb\na\nb");
    assertThat(Command.of("cat").stdin(Input.file(out)).capture().stdout().text())
        .isEqualTo("a\nb\na\nb\n");
  }

  @Test
  void takesTwoMegabytesOfArguments() throws Exception {
    String[] words = new String[20];
    java.util.Arrays.fill(words, "x".repeat(100_000));
    String[] arguments = new String[22];
    arguments[0] = "-c";
    arguments[1] = "echo $#";
    System.arraycopy(words, 0, arguments, 2, 20);
    assertThat(Command.of("sh", arguments).capture().stdout().text()).isEqualTo("19\n");
  }

  @Test
  void largeStreamsArriveWhole() throws Exception {
    long size = 100L << 20;
    // stdout echoes stdin; stderr writes in between.
    String script = "$/=\\65536; while (<STDIN>) { print; print STDERR 'e' x 1000 }";
    try (Job job = Job.open()) {
      Child child =
          job.start(
              Command.of("perl", "-e", script)
                  .stdin(Input.pipe())
                  .stdout(Output.pipe())
                  .stderr(Output.pipe()));
      CompletableFuture<String> written = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(() -> {
            try (OutputStream out = child.stdin()) {
              written.complete(write(out, size));
            } catch (Exception e) {
              written.completeExceptionally(e);
            }
          });
      CompletableFuture<Long> errors = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(() -> {
            try {
              errors.complete(child.stderr().transferTo(OutputStream.nullOutputStream()));
            } catch (Exception e) {
              errors.completeExceptionally(e);
            }
          });
      assertThat(digest(child.stdout(), size)).isEqualTo(written.get());
      assertThat(errors.get()).isEqualTo(size / 65536 * 1000);
      assertThat(child.waitFor().isSuccess()).isTrue();
    }
  }

  @Test
  void closingAStreamEndsAReader() throws Exception {
    try (Job job = Job.open()) {
      Child child = job.start(Command.of("sleep", "1000").stdout(Output.pipe()));
      CompletableFuture<Throwable> failure = new CompletableFuture<>();
      Thread reader =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  child.stdout().read();
                } catch (IOException e) {
                  failure.complete(e);
                }
              });
      org.awaitility.Awaitility.await().until(() -> reader.getState() == Thread.State.WAITING);
      child.stdout().close();
      assertThat(failure.get()).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aTimeoutEndsTheTree() throws Exception {
    Marked mark = Marked.fresh();
    // Long enough for perl to come to ignoring the signal.
    Duration beforeTheEnd = Duration.ofMillis(dev.holdfast.testing.Place.isGuest() ? 5000 : 800);
    Result result =
        Run.of(Trees.stubborn(mark).stdout(Output.discard()))
            .timeout(beforeTheEnd)
            .grace(Duration.ofMillis(300))
            .run();
    assertThat(result.outcome()).isEqualTo(Outcome.TIMED_OUT);
    assertThat(result.wall()).isGreaterThanOrEqualTo(beforeTheEnd.plusMillis(300));
    assertThat(result.cleanup().killedMembers()).isEqualTo(1);
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  void aCpuBudgetEndsTheTree() throws Exception {
    Marked mark = Marked.fresh();
    // The time from a look to the signal must be small beside it, as slow as that is there.
    Duration budget = Duration.ofSeconds(Place.isEmulated() ? 3 : 1);
    // The first time this JVM stops a job it loads classes, while the job goes on using the CPU.
    Run.of(Command.of("sleep", "1000")).timeout(Duration.ofMillis(1)).run();
    Result result =
        Run.of(
                Command.of(
                    "sh",
                    "-c",
                    "perl -e '1 while 1' $0 & perl -e '1 while 1' $0; wait",
                    mark.text()))
            .cpuTime(budget)
            .run();
    assertThat(result.outcome()).isEqualTo(Outcome.CPU_TIME_EXCEEDED);
    assertThat(result.usage().cpu().total().orElseThrow())
        .isBetween(budget, budget.multipliedBy(13).dividedBy(10));
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  void cancellingEndsTheTree() throws Exception {
    Marked mark = Marked.fresh();
    Running running = Run.of(Trees.sleeper(mark)).start();
    mark.await(1);
    Thread.ofVirtual().start(() -> running.cancel(Signal.INT));
    Result result = running.await();
    assertThat(result.outcome()).isEqualTo(Outcome.CANCELLED);
    assertThat(result.exit().orElseThrow().signal()).contains(Signal.INT);
    assertThat(mark.alive()).isEmpty();
  }

  private static String write(OutputStream out, long size) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    byte[] chunk = new byte[1 << 16];
    for (long left = size; left > 0; left -= chunk.length) {
      java.util.concurrent.ThreadLocalRandom.current().nextBytes(chunk);
      digest.update(chunk);
      out.write(chunk);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static String digest(InputStream in, long size) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    byte[] chunk = new byte[1 << 16];
    long total = 0;
    for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
      digest.update(chunk, 0, n);
      total += n;
    }
    assertThat(total).isEqualTo(size);
    return HexFormat.of().formatHex(digest.digest());
  }
}
