package dev.holdfast.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments as the kernel has them. Java decodes them as the locale says, and in the POSIX
 * locale everything beyond ASCII becomes a question mark; a command must get them byte for byte.
 *
 * <p>The bytes are decoded as UTF-8. A byte that is no part of it becomes the lone surrogate U+DC00
 * + byte, which the library turns back into the byte.
 */
final class RawArguments {
  private static final int ESCAPE = 0xDC00;

  private RawArguments() {}

  /** The arguments of this process, of which Java made {@code args}. */
  static String[] recover(String[] args) {
    for (String argument : args) {
      if (isDoubtful(argument)) {
        return recover(args, Path.of("/proc/self/cmdline"));
      }
    }
    return args;
  }

  /**
   * The grammar of {@code /proc/PID/cmdline}: each argument, the program's name first, and a NUL.
   */
  static String[] recover(String[] args, Path cmdline) {
    List<byte[]> words;
    try {
      words = split(Files.readAllBytes(cmdline));
    } catch (IOException noProc) {
      return args;
    }
    int first = words.size() - args.length;
    if (first < 1) {
      return args;
    }
    String[] raw = new String[args.length];
    for (int i = 0; i < raw.length; i++) {
      raw[i] = decode(words.get(first + i));
      if (!isDoubtful(args[i]) && !raw[i].equals(args[i])) {
        return args;
      }
    }
    return raw;
  }

  private static boolean isDoubtful(String argument) {
    for (int i = 0; i < argument.length(); i++) {
      char c = argument.charAt(i);
      if (c == '?' || c >= 0x80) {
        return true;
      }
    }
    return false;
  }

  private static List<byte[]> split(byte[] cmdline) {
    List<byte[]> words = new ArrayList<>();
    int begin = 0;
    for (int i = 0; i < cmdline.length; i++) {
      if (cmdline[i] == 0) {
        words.add(java.util.Arrays.copyOfRange(cmdline, begin, i));
        begin = i + 1;
      }
    }
    return words;
  }

  static String decode(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException notUtf8) {
      return escape(bytes);
    }
  }

  private static String escape(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < bytes.length; ) {
      int length = characterLength(bytes, i);
      if (length == 0) {
        text.append((char) (ESCAPE + (bytes[i] & 0xFF)));
        i++;
      } else {
        text.append(new String(bytes, i, length, StandardCharsets.UTF_8));
        i += length;
      }
    }
    return text.toString();
  }

  /** How many bytes the UTF-8 character at {@code at} has; 0 if there is none. */
  private static int characterLength(byte[] bytes, int at) {
    for (int length = 1; length <= 4 && at + length <= bytes.length; length++) {
      try {
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, at, length));
        return length;
      } catch (CharacterCodingException longerOrNone) {
        // look at one more byte
      }
    }
    return 0;
  }
}
