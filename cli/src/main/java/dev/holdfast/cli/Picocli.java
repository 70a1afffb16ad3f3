package dev.holdfast.cli;

import java.util.List;
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
 * A subcommand's options in picocli's programmatic model: for help, and for calls that are not
 * plain.
 */
final class Picocli {
  private static final int WIDTH = 100;

  private final Subcommand subcommand;
  private final CommandLine parser;

  Picocli(Subcommand subcommand) {
    this.subcommand = subcommand;
    CommandSpec spec = CommandSpec.create().name(subcommand.name());
    spec.parser().stopAtPositional(true);
    spec.usageMessage()
        .customSynopsis(subcommand.synopsis())
        .description(subcommand.description() + "%n")
        .sortOptions(false)
        .width(WIDTH)
        .longOptionsMaxWidth(34);
    for (Option option : subcommand.options()) {
      spec.addOption(spec(option));
    }
    if (subcommand.takesCommand()) {
      spec.addPositional(
          PositionalParamSpec.builder()
              .type(String[].class)
              .index("0..*")
              .arity("0..*")
              .hidden(true)
              .build());
    }
    parser = new CommandLine(spec).setExpandAtFiles(false);
  }

  private static OptionSpec spec(Option option) {
    OptionSpec.Builder builder =
        OptionSpec.builder(option.names().toArray(new String[0]))
            .description(option.description().replace("%", "%%"));
    if (!option.takesValue()) {
      return builder.type(boolean.class).arity("0").build();
    }
    return builder
        .type(option.repeatable() ? String[].class : String.class)
        .arity("1")
        .paramLabel(option.label())
        .build();
  }

  String help() {
    return parser.getUsageMessage(Ansi.OFF);
  }

  ParsedOptions parse(String[] args) throws UsageException {
    ParseResult result;
    try {
      result = parser.parseArgs(args);
    } catch (ParameterException complaint) {
      throw new UsageException(
          "bad usage", why(complaint), "see holdfast " + subcommand.name() + " --help");
    }
    ParsedOptions parsed = new ParsedOptions();
    for (Option option : subcommand.options()) {
      if (result.hasMatchedOption(option.name())) {
        take(option, result, parsed);
      }
    }
    if (subcommand.takesCommand()) {
      parsed.rest().addAll(List.of(result.matchedPositionalValue(0, new String[0])));
    }
    return parsed;
  }

  private static void take(Option option, ParseResult result, ParsedOptions parsed) {
    if (!option.takesValue()) {
      parsed.add(option);
    } else if (option.repeatable()) {
      for (String value : result.matchedOptionValue(option.name(), new String[0])) {
        parsed.add(option, value);
      }
    } else {
      parsed.add(option, result.matchedOptionValue(option.name(), ""));
    }
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
        ? "it cannot be understood"
        : Character.toLowerCase(message.charAt(0)) + message.substring(1);
  }
}
