package dev.holdfast.cli;

/** We were called wrongly. The message is one line, {@code what: why (how to mend it)}. */
final class UsageException extends Exception {
  private static final long serialVersionUID = 1L;

  UsageException(String what, String why, String remedy) {
    super(what + ": " + why + " (" + remedy + ")");
  }
}
