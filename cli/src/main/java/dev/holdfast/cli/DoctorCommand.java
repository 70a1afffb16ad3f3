package dev.holdfast.cli;

import dev.holdfast.Host;
import java.io.PrintStream;
import picocli.CommandLine.ParseResult;

/** {@code holdfast doctor}. */
final class DoctorCommand {
  private DoctorCommand() {}

  static int execute(String[] args, PrintStream out, PrintStream err) throws UsageException {
    OptionParser parser =
        new OptionParser(
                "doctor",
                "holdfast doctor [--json]",
                "Says what this machine can do, and how to mend what it cannot. Changes nothing.%n")
            .flag("one JSON object on one line", "--json")
            .flag("this text", "-h", "--help");
    ParseResult parsed = parser.parse(args);
    if (parsed.hasMatchedOption("--help")) {
      out.print(parser.help());
      return ExitCode.OK;
    }
    Host host = Host.probe();
    if (parsed.hasMatchedOption("--json")) {
      byte[] line = DoctorJson.of(host);
      out.write(line, 0, line.length);
    } else {
      for (String finding : DoctorText.findings(host)) {
        out.println(Complaint.oneLine(finding));
      }
    }
    return host.available() ? ExitCode.OK : ExitCode.WEAKER;
  }
}
