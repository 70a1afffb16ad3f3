package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Marked;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Exit statuses as a shell sees them, and signals that reach the command through us. */
@HostOnly
@Timeout(60)
class ExitStatusTest {
  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  void isTheCommandsOwn() throws Exception {
    assertThat(HoldfastProcess.run("run", "--", "true"))
        .isEqualTo(new HoldfastProcess.Ended(0, "", ""));
    assertThat(HoldfastProcess.run("run", "--", "sh", "-c", "echo out; echo err >&2; exit 3"))
        .isEqualTo(new HoldfastProcess.Ended(3, "out", "err\n"));
    assertThat(HoldfastProcess.run("run", "--", "sh", "-c", "kill -TERM $$").status())
        .isEqualTo(143);
    // Whatever the command says it is: not a status of ours.
    assertThat(HoldfastProcess.run("run", "--", "sh", "-c", "exit 125").err()).isEmpty();
  }

  @Test
  void tellsWhatCannotBeStarted(@TempDir Path folder) throws Exception {
    Path plain = Files.writeString(folder.resolve("plain"), "no program");
    isOneComplaint(HoldfastProcess.run("run", "--", plain.toString()), 126, "EACCES");
    isOneComplaint(HoldfastProcess.run("run", "--", folder.toString()), 126, "EACCES");
    isOneComplaint(HoldfastProcess.run("run", "--", "holdfast-no-such-program"), 127, "ENOENT");
    isOneComplaint(HoldfastProcess.run("run", "--", folder + "/none"), 127, "ENOENT");
  }

  @Test
  void tellsBadUsage() throws Exception {
    isOneComplaint(HoldfastProcess.run("run", "--memory", "64Q", "--", "true"), 125, "64Q");
    isOneComplaint(HoldfastProcess.run("run", "--memory", "0", "--", "true"), 125, "memory");
    isOneComplaint(HoldfastProcess.run("run", "--no-such", "--", "true"), 125, "--no-such");
    isOneComplaint(HoldfastProcess.run("run"), 125, "command");
  }

  @ParameterizedTest
  @CsvSource({"HUP, 129", "INT, 130", "TERM, 143"})
  void passesOurSignalOnAndEndsWhoIgnoresIt(String signal, int status) throws Exception {
    String program =
        """
        use POSIX; $| = 1;
        if (!fork) {
          POSIX::setsid(); $SIG{$_} = 'IGNORE' for qw(HUP INT TERM);
          print "stubborn\\n"; sleep 1000; exit;
        }
        $SIG{$_} = sub { print "got $_[0]\\n"; exit 9 } for qw(HUP INT TERM);
        print "ready\\n"; sleep 1000 while 1;
        """;
    Process process = start("--grace", "1s", program);
    BufferedReader reader = process.inputReader();
    Set<String> lines = new TreeSet<>(List.of(reader.readLine(), reader.readLine()));
    assertThat(lines).containsExactly("ready", "stubborn");
    assertThat(mark.alive()).as("us, and two of it").hasSizeGreaterThan(1);
    long begin = System.nanoTime();
    send(signal, process);
    HoldfastProcess.Ended ended = HoldfastProcess.await(process);
    assertThat(ended).isEqualTo(new HoldfastProcess.Ended(status, "got " + signal, ""));
    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .isBetween(Duration.ofMillis(900), Duration.ofSeconds(10));
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  void waitsNoLongerThanTheMembersNeed() throws Exception {
    Process process = start("--grace", "50s", "$| = 1; print \"ready\\n\"; sleep 1000;");
    assertThat(process.inputReader().readLine()).isEqualTo("ready");
    long begin = System.nanoTime();
    send("TERM", process);
    assertThat(HoldfastProcess.await(process).status()).isEqualTo(143);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
  }

  private Process start(String option, String value, String program) throws Exception {
    return HoldfastProcess.start(
        HoldfastProcess.words(
            HoldfastProcess.parts(),
            "run",
            option,
            value,
            "--",
            "perl",
            "-e",
            program,
            mark.text()));
  }

  private static void send(String signal, Process process) throws Exception {
    int sent =
        new ProcessBuilder("sh", "-c", "kill -" + signal + " " + process.pid()).start().waitFor();
    assertThat(sent).isZero();
  }

  private static void isOneComplaint(HoldfastProcess.Ended ended, int status, String part) {
    assertThat(ended.status()).as(ended.err()).isEqualTo(status);
    assertThat(ended.out()).isEmpty();
    assertThat(ended.err())
        .startsWith("holdfast: ")
        .contains(part)
        .matches("[^\\n]*\\([^\\n]*\\)\\n");
  }
}
