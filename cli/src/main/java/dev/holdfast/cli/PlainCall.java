package dev.holdfast.cli;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a call that has nothing wrong or unusual in it: {@code --name VALUE}, {@code --name=VALUE},
 * {@code -n VALUE}, flags, then the command. Anything else is left to {@link Picocli}.
 *
 * <p>Why not picocli for all: its classes are of Java 5's format, which the JVM can neither keep in
 * its cache nor verify quickly, and loading them takes longer than all the rest of a start.
 */
final class PlainCall {
  private PlainCall() {}

  /** What {@code args} say; null if it takes a closer look. */
  static @Nullable ParsedOptions read(List<Option> options, String[] args) {
    Map<String, Option> named = new HashMap<>();
    for (Option option : options) {
      for (String name : option.names()) {
        named.put(name, option);
      }
    }
    ParsedOptions parsed = new ParsedOptions();
    for (int i = 0; i < args.length; i++) {
      String word = args[i];
      if (word.equals("--")) {
        return withRest(parsed, args, i + 1);
      }
      if (!word.startsWith("-")) {
        return withRest(parsed, args, i);
      }
      int equals = word.startsWith("--") ? word.indexOf('=') : -1;
      Option option = named.get(equals < 0 ? word : word.substring(0, equals));
      if (option == null || (parsed.has(option.name()) && !option.repeatable())) {
        return null;
      }
      if (!option.takesValue()) {
        if (equals >= 0) {
          return null;
        }
        parsed.add(option);
      } else if (equals >= 0) {
        parsed.add(option, word.substring(equals + 1));
      } else if (i + 1 < args.length && !args[i + 1].startsWith("-")) {
        parsed.add(option, args[++i]);
      } else {
        return null;
      }
    }
    return parsed;
  }

  private static ParsedOptions withRest(ParsedOptions parsed, String[] args, int from) {
    parsed.rest().addAll(Arrays.asList(args).subList(from, args.length));
    return parsed;
  }
}
