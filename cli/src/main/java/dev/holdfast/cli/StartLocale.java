package dev.holdfast.cli;

import dev.holdfast.Environment;
import java.util.Optional;

/**
 * The locale that we were called in. Where the script {@code holdfast} lies below a name beyond
 * ASCII it starts the JVM in another one, since in the POSIX locale that would not find its jars.
 */
final class StartLocale {
  private static final String REPLACED = "HOLDFAST_LC_ALL";
  private static final String NAME = "LC_ALL";

  private StartLocale() {}

  /** Our environment as the caller had it. */
  static Environment inherited() {
    Environment own = Environment.inherited();
    Optional<String> before = own.get(REPLACED);
    if (before.isEmpty()) {
      return own;
    }
    Environment restored = own.without(REPLACED);
    return before.get().isEmpty() ? restored.without(NAME) : restored.with(NAME, before.get());
  }
}
