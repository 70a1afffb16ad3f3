package dev.holdfast.cli;

import dev.holdfast.Host;
import java.io.PrintStream;
import java.util.List;

/** {@code holdfast doctor}. */
final class DoctorCommand {
  private DoctorCommand() {}

  static int execute(String[] args, PrintStream out) throws UsageException {
    Subcommand options = options();
    ParsedOptions parsed = options.parse(args);
    if (parsed.has("--help")) {
      out.print(options.help());
      return ExitCode.OK;
    }
    Host host = Host.probe();
    if (parsed.has("--json")) {
      byte[] line = DoctorJson.of(host);
      out.write(line, 0, line.length);
    } else {
      for (String finding : DoctorText.findings(host)) {
        out.println(Complaint.oneLine(finding));
      }
    }
    return host.available() ? ExitCode.OK : ExitCode.WEAKER;
  }

  private static Subcommand options() {
    return new Subcommand(
        "doctor",
        "holdfast doctor [--json]",
        "Says what this machine can do, and how to mend what it cannot. Changes nothing.",
        List.of(
            Option.flag("one JSON object on one line", "--json"),
            Option.flag("this text", "-h", "--help")),
        /* takesCommand= */ false);
  }
}
