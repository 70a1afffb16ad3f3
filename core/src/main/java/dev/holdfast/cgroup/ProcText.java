package dev.holdfast.cgroup;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The text of a file of {@code /proc}, by lines. Its characters are bytes (ISO 8859-1), because
 * that is what the kernel's names are made of.
 */
final class ProcText {
  private static final int SHOWN = 200;

  private final String file;
  private final List<String> lines;

  private ProcText(String file, List<String> lines) {
    this.file = file;
    this.lines = lines;
  }

  /** {@code text} as it was read from {@code file}, which errors name. */
  static ProcText of(String file, String text) throws HoldfastException {
    if (text.isEmpty()) {
      return new ProcText(file, List.of());
    }
    List<String> lines = List.of(text.split("\n", -1));
    int last = lines.size() - 1;
    ProcText result = new ProcText(file, lines.subList(0, last));
    if (!lines.get(last).isEmpty()) {
      // The kernel ends every line: a path without its end would be another place.
      throw malformed(file, last, lines.get(last), "it is cut off");
    }
    return result;
  }

  List<String> lines() {
    return lines;
  }

  /** An error about the line of this index. */
  HoldfastException malformed(int index, String why) {
    return malformed(file, index, lines.get(index), why);
  }

  /**
   * What stands at {@code index} as text: names are UTF-8, and one that is not cannot be named in
   * Java, not without the danger of naming another.
   */
  String decode(int index, String bytes) throws HoldfastException {
    if (bytes.indexOf('\0') >= 0) {
      throw malformed(index, "a path has a NUL");
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1)))
          .toString();
    } catch (CharacterCodingException notText) {
      throw malformed(index, "a path is not UTF-8");
    }
  }

  /** A whole number from 0, or -1. */
  static long number(String digits) {
    if (digits.isEmpty() || digits.length() > 18) {
      return -1;
    }
    long number = 0;
    for (int i = 0; i < digits.length(); i++) {
      int digit = digits.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      number = number * 10 + digit;
    }
    return number;
  }

  private static HoldfastException malformed(String file, int index, String line, String why) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < Math.min(line.length(), SHOWN); i++) {
      char c = line.charAt(i);
      shown.append(c < ' ' || c > '~' ? '?' : c);
    }
    if (line.length() > SHOWN) {
      shown.append('…');
    }
    return new HoldfastException(
        "Cannot find the control groups",
        file + " line " + (index + 1) + " is malformed, " + why + ": \"" + shown + "\"",
        "please report this with the whole file",
        null);
  }
}
