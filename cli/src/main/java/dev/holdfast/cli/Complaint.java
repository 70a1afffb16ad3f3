package dev.holdfast.cli;

import java.io.PrintStream;

/** What we say on stderr: one line each, whatever a file name or an argument in it may hold. */
final class Complaint {
  private Complaint() {}

  /** Prints {@code holdfast: what failed: why (how to mend it)}. */
  static void print(PrintStream err, String message) {
    err.println("holdfast: " + oneLine(message));
    err.flush();
  }

  /** As {@link #print(PrintStream, String)}, with where it came from if somebody wants to know. */
  static void print(PrintStream err, Throwable failure, boolean verbose) {
    String message = failure.getMessage();
    print(err, message == null ? failure.toString() : message);
    if (verbose) {
      failure.printStackTrace(err);
      err.flush();
    }
  }

  /** Control characters would break the line, or a terminal. */
  static String oneLine(String text) {
    StringBuilder line = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c) || (Character.isSurrogate(c) && isLone(text, i))) {
        if (line == null) {
          line = new StringBuilder(text);
        }
        line.setCharAt(i, '?');
      }
    }
    return line == null ? text : line.toString();
  }

  private static boolean isLone(String text, int at) {
    return Character.isHighSurrogate(text.charAt(at))
        ? at + 1 == text.length() || !Character.isLowSurrogate(text.charAt(at + 1))
        : at == 0 || !Character.isHighSurrogate(text.charAt(at - 1));
  }
}
