package dev.holdfast.cli;

import dev.holdfast.Leftovers;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;

/** {@code holdfast sweep}. */
final class SweepCommand {
  private SweepCommand() {}

  static int execute(String[] args, PrintStream out, PrintStream err) throws UsageException {
    Subcommand options = options();
    ParsedOptions parsed = options.parse(args);
    if (parsed.has("--help")) {
      out.print(options.help());
      return ExitCode.OK;
    }
    Leftovers found;
    try {
      found = Leftovers.sweep();
    } catch (IOException failure) {
      Complaint.print(err, failure, false);
      return ExitCode.OUR_FAILURE;
    }
    if (parsed.has("--json")) {
      byte[] line = json(found);
      out.write(line, 0, line.length);
    } else {
      for (Leftovers.Swept swept : found.swept()) {
        out.println(swept.path() + ": " + swept.killedMembers() + " killed, nothing left");
      }
      out.println(
          found.swept().size()
              + " swept, "
              + found.released()
              + " with released members, "
              + found.living()
              + " living");
    }
    for (Leftovers.Left left : found.left()) {
      Complaint.print(
          err, "cannot sweep " + left.path() + ": " + left.reason() + " (run it again)");
    }
    return found.left().isEmpty() ? ExitCode.OK : ExitCode.LEFT;
  }

  /** The schema {@code holdfast.sweep/1}. */
  private static byte[] json(Leftovers found) {
    Json json = new Json().text("schema", "holdfast.sweep/1").array("swept");
    for (Leftovers.Swept swept : found.swept()) {
      json.object()
          .text("anchor", swept.anchor())
          .text("path", swept.path())
          .number("killedMembers", swept.killedMembers())
          .endObject();
    }
    json.endArray().array("left");
    for (Leftovers.Left left : found.left()) {
      json.object()
          .text("anchor", left.anchor())
          .text("path", left.path())
          .text("reason", left.reason())
          .endObject();
    }
    return json.endArray()
        .number("released", found.released())
        .number("living", found.living())
        .line();
  }

  private static Subcommand options() {
    return new Subcommand(
        "sweep",
        "holdfast sweep [--json]",
        "Ends and removes what dead processes left of their jobs. Touches no living one.",
        List.of(
            Option.flag("one JSON object on one line", "--json"),
            Option.flag("this text", "-h", "--help")),
        /* takesCommand= */ false);
  }
}
