package dev.holdfast.cli;

import java.util.List;

/**
 * One option of a subcommand.
 *
 * @param names with their dashes, the long one last
 * @param label what its value is called; empty if it takes none
 * @param repeatable whether it may be given more than once
 * @param description for the help
 */
record Option(List<String> names, String label, boolean repeatable, String description) {
  /** Takes a value, at most once. */
  static Option value(String label, String description, String... names) {
    return new Option(List.of(names), label, false, description);
  }

  /** Takes a value, as often as one likes. */
  static Option values(String label, String description, String... names) {
    return new Option(List.of(names), label, true, description);
  }

  /** Takes no value. */
  static Option flag(String description, String... names) {
    return new Option(List.of(names), "", false, description);
  }

  /** The name that {@link ParsedOptions} has it under. */
  String name() {
    return names.getLast();
  }

  boolean takesValue() {
    return !label.isEmpty();
  }
}
