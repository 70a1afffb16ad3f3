package dev.holdfast.cli;

import java.util.List;

/**
 * What can be said to a subcommand.
 *
 * @param takesCommand whether a command follows the options, which end at it
 */
record Subcommand(
    String name, String synopsis, String description, List<Option> options, boolean takesCommand) {

  ParsedOptions parse(String[] args) throws UsageException {
    ParsedOptions plain = PlainCall.read(options, args);
    if (plain != null && (takesCommand || plain.rest().isEmpty())) {
      return plain;
    }
    return new Picocli(this).parse(args);
  }

  String help() {
    return new Picocli(this).help();
  }
}
