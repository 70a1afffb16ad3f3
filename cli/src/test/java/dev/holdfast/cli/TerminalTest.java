package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Marked;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** At a terminal, which script(1) makes: its keys are this test's to press. */
@HostAndGuest
@Timeout(120)
class TerminalTest {
  private static final char CTRL_C = 3;

  /** Says of each process group whether it is the terminal's, and of each SIGINT that it came. */
  private static final String COMMAND =
      """
      open my $stat, '<', '/proc/self/stat'; my @f = split ' ', (<$stat> =~ s/.*\\) //r);
      sub note { open my $f, '>>', $ARGV[0]; print $f "$_[0]\\n"; }
      $SIG{INT} = sub { note('told') };
      note($f[2] == $f[5] ? 'foreground' : "group $f[2], terminal's $f[5]");
      sleep 1000 while 1;
      """;

  @TempDir Path folder;
  @RegisterExtension final Marked mark = Marked.fresh();

  @Test
  void ctrlCReachesTheCommandOnce() throws Exception {
    Path notes = folder.resolve("notes");
    Process terminal =
        inTerminal(
            "run", "--grace", "1s", "--", "perl", "-e", COMMAND, notes.toString(), mark.text());
    try {
      awaitLines(notes, 1);
      assertThat(Files.readAllLines(notes)).containsExactly("foreground");
      terminal.outputWriter().write(CTRL_C);
      terminal.outputWriter().flush();

      assertThat(terminal.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(terminal.exitValue()).isEqualTo(130);
      assertThat(Files.readAllLines(notes)).as("once, though it did not end").hasSize(2);
    } finally {
      terminal.destroyForcibly();
    }
  }

  /** What is typed goes to the command, and its status comes back. */
  @Test
  void theCommandReadsTheTerminal() throws Exception {
    Path notes = folder.resolve("notes");
    Process terminal =
        inTerminal(
            "run",
            "--",
            "sh",
            "-c",
            "echo ready > \"$0\"; read line; echo \"$line\" >> \"$0\"; exit 7",
            notes.toString());
    awaitLines(notes, 1);
    terminal.outputWriter().write("typed\n");
    terminal.outputWriter().flush();
    assertThat(terminal.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(terminal.exitValue()).isEqualTo(7);
    assertThat(Files.readAllLines(notes)).containsExactly("ready", "typed");
  }

  /** The command on a terminal of its own, which is what we write to. */
  private Process inTerminal(String... arguments) throws Exception {
    Path command =
        Installed.script(
            folder.resolve("command"), HoldfastProcess.words(HoldfastProcess.parts(), arguments));
    return HoldfastProcess.starting(
        List.of("script", "-qfec", command.toString(), folder.resolve("log").toString()));
  }

  private static void awaitLines(Path file, int count) throws IOException {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> Files.exists(file) && Files.readAllLines(file).size() == count);
  }
}
