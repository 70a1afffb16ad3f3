package dev.holdfast.cgroup;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * A program that answers questions from inside a group: what it may do with devices, and what its
 * sockets are like. It is up before it joins, since starting one opens devices, too.
 */
final class Inside implements AutoCloseable {
  /**
   * A line each, answered by "ok" or the name of the error: {@code open FLAGS PATH}; {@code make
   * PATH TYPE MAJOR MINOR}; {@code socket OPTION}, which is answered by the option's value.
   */
  private static final String PROGRAM =
      """
      use Socket; use Errno; $| = 1;
      while (<STDIN>) {
        my ($do, @w) = split;
        if ($do eq 'open') {
          print sysopen(my $f, $w[1], $w[0]) ? "ok" : (grep { $!{$_} } keys %!)[0], "\\n";
        } elsif ($do eq 'make') {
          my $type = $w[1] eq 'c' ? 020600 : 060600;
          my $ok = syscall($w[4], -100, $w[0], $type, $w[2] << 8 | $w[3]) == 0;
          print $ok ? "ok" : (grep { $!{$_} } keys %!)[0], "\\n";
        } else {
          socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
          print unpack('I', getsockopt($s, SOL_SOCKET, $w[0])), "\\n";
        }
      }
      """;

  private static final int MKNODAT = System.getProperty("os.arch", "").equals("aarch64") ? 33 : 259;

  private final Process process;
  private final BufferedReader answers;

  private Inside(Process process) {
    this.process = process;
    this.answers = process.inputReader(StandardCharsets.UTF_8);
  }

  static Inside start() throws IOException {
    Inside inside =
        new Inside(
            new ProcessBuilder("perl", "-e", PROGRAM)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    // What its modules need is loaded with the first answers.
    if (!inside.open("/proc/no-such-file", 0).equals("ENOENT")) {
      throw new AssertionError("perl does not answer");
    }
    return inside;
  }

  long pid() {
    return process.pid();
  }

  String open(String path, int flags) {
    return ask("open " + flags + " " + path);
  }

  String make(String path, char type, int major, int minor) {
    return ask("make %s %c %d %d %d".formatted(path, type, major, minor, MKNODAT));
  }

  /** What a new socket has for this option of SOL_SOCKET, as an unsigned number. */
  long socketOption(int option) {
    return Long.parseLong(ask("socket " + option));
  }

  private String ask(String question) {
    try {
      process.getOutputStream().write((question + "\n").getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
      String answer = answers.readLine();
      if (answer == null) {
        throw new AssertionError("no answer to " + question);
      }
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroyForcibly();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      throw new AssertionError(process + " does not end");
    }
  }
}
