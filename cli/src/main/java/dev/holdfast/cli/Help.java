package dev.holdfast.cli;

/** {@code holdfast --help}. */
final class Help {
  static final String TEXT =
      """
      Usage: holdfast run [OPTIONS] [--] COMMAND [ARG...]
             holdfast doctor [--json]
             holdfast sweep [--json]

      Runs programs as jobs: process trees that the Linux kernel itself holds together.

        run       runs one command in a job of its own, with limits, and leaves nothing behind
        doctor    says what this machine can do, and how to mend what it cannot
        sweep     ends and removes what dead processes left of their jobs; touches no living one

        --help       this text; "holdfast run --help" has the options
        --version    the version

      Exit status of run: the command's own; 128 + N if signal N ended it (137: out of memory); 124 if its
      time was up; 125 if holdfast itself failed; 126 if the command cannot be executed; 127 if there is none.
      """;

  private Help() {}
}
