package dev.holdfast.cli;

import dev.holdfast.KernelText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments as the kernel has them. Java decodes them as the locale says, and in the POSIX
 * locale everything beyond ASCII becomes a question mark; a command must get them byte for byte.
 *
 * <p>They become {@link KernelText}.
 */
final class RawArguments {
  private RawArguments() {}

  /** The arguments of this process, of which Java made {@code args}. */
  static String[] recover(String[] args) {
    for (String argument : args) {
      if (!KernelText.isPlain(argument)) {
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
      raw[i] = KernelText.of(words.get(first + i));
      if (KernelText.isPlain(args[i]) && !raw[i].equals(args[i])) {
        return args;
      }
    }
    return raw;
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
}
