package dev.holdfast.cli;

import java.io.PrintStream;
import java.util.Arrays;

/** The command {@code holdfast}, for a process of its own ({@link Main}) or within another. */
public final class Holdfast {
  private Holdfast() {}

  /**
   * Runs the command. A command that it runs uses the stdin, stdout and stderr of this process,
   * whatever {@code out} and {@code err} are.
   *
   * @param args the arguments, the name of the subcommand first
   * @param out for what was asked for, such as help
   * @param err for complaints and reports
   * @return the exit status
   */
  public static int execute(String[] args, PrintStream out, PrintStream err) {
    int status;
    try {
      status = dispatch(args, out, err);
    } catch (UsageException complaint) {
      Complaint.print(err, complaint, false);
      status = ExitCode.OUR_FAILURE;
    }
    err.flush();
    if (out.checkError()) {
      Complaint.print(err, "cannot write to stdout: the write failed (look at where it goes)");
      status = ExitCode.OUR_FAILURE;
    }
    return status;
  }

  private static int dispatch(String[] args, PrintStream out, PrintStream err)
      throws UsageException {
    if (args.length == 0) {
      throw new UsageException("bad usage", "no subcommand is given", "see holdfast --help");
    }
    String[] rest = Arrays.copyOfRange(args, 1, args.length);
    return switch (args[0]) {
      case "run" -> RunCommand.execute(rest, out, err);
      case "doctor" -> DoctorCommand.execute(rest, out);
      case "sweep" -> SweepCommand.execute(rest, out, err);
      case "--help", "-h", "help" -> print(out, Help.TEXT);
      case "--version", "-V" -> print(out, "holdfast " + Version.text() + "\n");
      default ->
          throw new UsageException(
              "bad usage",
              (args[0].startsWith("-") ? "unknown option \"" : "unknown subcommand \"")
                  + args[0]
                  + "\"",
              "see holdfast --help");
    };
  }

  private static int print(PrintStream out, String text) {
    out.print(text);
    return ExitCode.OK;
  }
}
