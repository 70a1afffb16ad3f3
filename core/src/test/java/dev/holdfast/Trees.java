package dev.holdfast;

import dev.holdfast.testing.Marked;

/**
 * Process trees that try to get away, as perl programs: it has fork and setsid without a compiler.
 */
final class Trees {
  private Trees() {}

  /**
   * A daemon: fork, setsid, fork again, ignore SIGTERM and SIGHUP, sleep. The first process ends at
   * once.
   */
  static Command daemon(Marked mark) {
    return perl(
        "use POSIX; exit 0 if fork; POSIX::setsid(); exit 0 if fork;"
            + " $SIG{TERM}=$SIG{HUP}='IGNORE'; sleep 1000;",
        mark);
  }

  /** The positive control: without a job that one lives on; it is ended here. */
  static void getAway(Marked mark) throws Exception {
    new ProcessBuilder(daemon(mark).words()).start().waitFor();
    mark.await(1);
    mark.end();
    mark.await(0);
  }

  /**
   * {@code count} processes, each in a session of its own, that sleep. The first process stays and
   * sleeps too.
   */
  static Command sessions(int count, Marked mark) {
    return perl(
        "use POSIX; for (1.."
            + count
            + ") { next if fork; POSIX::setsid(); sleep 1000; exit } sleep 1000;",
        mark);
  }

  /** Forks until that fails or is enough; tells how often it went well, and the errno. */
  static Command forks(Marked mark) {
    return perl(
            "$|=1; for (1..30) { $p = fork; if (!defined $p) { print $n+0, ' ', $!+0, \"\\n\";"
                + " sleep 1000 } if (!$p) { sleep 1000; exit } $n++ } print \"$n 0\\n\"; sleep 1000",
            mark)
        .stdout(Output.pipe());
  }

  /** Sleeps and ignores SIGTERM. */
  static Command stubborn(Marked mark) {
    return perl("$SIG{TERM}='IGNORE'; $|=1; print \"ready\\n\"; sleep 1000;", mark);
  }

  static Command sleeper(Marked mark) {
    return perl("sleep 1000;", mark);
  }

  /** One CPU, busy for ever. */
  static Command busy(Marked mark) {
    return perl("1 while 1;", mark);
  }

  /**
   * Forks until a child has the process id {@code number}, by {@code ns_last_pid}: that child does
   * what {@code child} says, and its parent, which knows it as {@code $child}, what {@code parent}
   * says. Prints "never" if no child gets it.
   */
  static ProcessBuilder withNumber(long number, String child, String parent, Marked mark) {
    String program =
        "use POSIX; $| = 1; my $pid = shift; for (1 .. 1000) {"
            + " open my $f, '>', '/proc/sys/kernel/ns_last_pid' or die $!; print $f $pid - 1;"
            + " close $f; my $child = fork; if (!$child) { exit if $$ != $pid; "
            + child
            + " } if ($child == $pid) { "
            + parent
            + " } waitpid $child, 0 } print \"never\\n\"";
    return new ProcessBuilder("perl", "-e", program, Long.toString(number), mark.text());
  }

  static Command perl(String program, Marked mark) {
    return Command.of("perl", "-e", program, mark.text());
  }
}
