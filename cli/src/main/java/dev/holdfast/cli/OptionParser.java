package dev.holdfast.cli;

import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The options of one subcommand. Picocli's programmatic model, with nothing but strings in it: its annotations
 * would cost more time than all the rest of a start.
 */
final class OptionParser {
  private final CommandSpec spec;
  private final String command;

  OptionParser(String command, String synopsis, String description) {
    this.command = command;
    spec = CommandSpec.create().name(command);
    spec.parser().stopAtPositional(true).trimQuotes(false);
    spec.usageMessage()
        .customSynopsis(synopsis)
        .description(description)
        .sortOptions(false)
        .width(100)
        .autoWidth(false);
  }

  /** An option with a value, given at most once. */
  OptionParser value(String label, String description, String... names) {
    spec.addOption(
        OptionSpec.builder(names)
            .type(String.class)
            .paramLabel(label)
            .description(description)
            .build());
    return this;
  }

  /** An option with a value, given as often as one likes. */
  OptionParser values(String label, String description, String... names) {
    spec.addOption(
        OptionSpec.builder(names)
            .type(String[].class)
            .arity("1")
            .paramLabel(label)
            .description(description)
            .build());
    return this;
  }

  OptionParser flag(String description, String... names) {
    spec.addOption(
        OptionSpec.builder(names).type(boolean.class).arity("0").description(description).build());
    return this;
  }

  /** Whatever follows the options. */
  OptionParser rest() {
    spec.addPositional(
        PositionalParamSpec.builder()
            .type(String[].class)
            .index("0..*")
            .arity("0..*")
            .paramLabel("COMMAND [ARG...]")
            .hidden(true)
            .build());
    return this;
  }

  ParseResult parse(String[] args) throws UsageException {
    CommandLine parser = commandLine();
    try {
      return parser.parseArgs(args);
    } catch (ParameterException complaint) {
      throw new UsageException("bad usage", why(complaint), "see holdfast " + command + " --help");
    }
  }

  String help() {
    return commandLine().getUsageMessage(Ansi.OFF);
  }

  private CommandLine commandLine() {
    return new CommandLine(spec).setExpandAtFiles(false);
  }

  private static String why(ParameterException complaint) {
    if (complaint instanceof UnmatchedArgumentException unmatched) {
      String word = unmatched.getUnmatched().getFirst();
      return (word.startsWith("-") ? "unknown option \"" : "unexpected argument \"") + word + "\"";
    }
    if (complaint instanceof OverwrittenOptionException again) {
      return ((OptionSpec) again.getOverwritten()).longestName() + " is given more than once";
    }
    String message = String.valueOf(complaint.getMessage());
    return message.isEmpty()
        ? "cannot be parsed"
        : Character.toLowerCase(message.charAt(0)) + message.substring(1);
  }
}
