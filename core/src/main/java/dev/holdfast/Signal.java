package dev.holdfast;

import java.util.Locale;

/** A POSIX signal, by its number on Linux (x86-64 and aarch64 agree). */
public record Signal(int number) {
  public static final Signal HUP = new Signal(1);
  public static final Signal INT = new Signal(2);
  public static final Signal QUIT = new Signal(3);
  public static final Signal KILL = new Signal(9);
  public static final Signal USR1 = new Signal(10);
  public static final Signal USR2 = new Signal(12);
  public static final Signal TERM = new Signal(15);
  public static final Signal CONT = new Signal(18);
  public static final Signal STOP = new Signal(19);

  private static final String[] NAMES = {
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"
  };

  public Signal {
    if (number < 1 || number > 64) {
      throw new IllegalArgumentException("signals go from 1 to 64, not " + number);
    }
  }

  /** Parses {@code TERM}, {@code SIGTERM}, in any case, or {@code 15}. */
  public static Signal parse(String text) {
    String name = text.toUpperCase(Locale.ROOT);
    if (name.startsWith("SIG")) {
      name = name.substring(3);
    }
    for (int i = 1; i < NAMES.length; i++) {
      if (NAMES[i].equals(name)) {
        return new Signal(i);
      }
    }
    if (name.matches("[0-9]{1,2}")) {
      return new Signal(Integer.parseInt(name));
    }
    throw new IllegalArgumentException(
        "there is no signal \"" + text + "\" (a name such as TERM, or a number from 1 to 64)");
  }

  /** {@code SIGTERM}, or {@code SIG35} for the ones without a name. */
  @Override
  public String toString() {
    return "SIG" + (number < NAMES.length ? NAMES[number] : Integer.toString(number));
  }
}
