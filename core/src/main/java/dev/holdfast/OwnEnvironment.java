package dev.holdfast;

import dev.holdfast.linux.RawText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The environment of this process, byte for byte. {@link System#getenv} decodes it with the
 * locale's charset, and in the POSIX locale that loses whatever is not ASCII.
 */
final class OwnEnvironment {
  private static final Path SOURCE = Path.of("/proc/self/environ");

  private OwnEnvironment() {}

  /** The entries ({@code NAME=value}) by name. */
  static Map<String, byte[]> entries() {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    byte[] all;
    try {
      all = Files.readAllBytes(SOURCE);
    } catch (IOException notMounted) {
      System.getenv()
          .forEach((name, value) ->
              entries.put(name, (name + "=" + value).getBytes(StandardCharsets.UTF_8)));
      return entries;
    }
    // NAME=value, each ended by NUL.
    int begin = 0;
    for (int end = 0; end < all.length; end++) {
      if (all[end] == 0) {
        add(entries, java.util.Arrays.copyOfRange(all, begin, end));
        begin = end + 1;
      }
    }
    return entries;
  }

  private static void add(Map<String, byte[]> entries, byte[] entry) {
    String text = RawText.text(entry);
    int equals = text.indexOf('=', 1);
    if (equals > 0) {
      entries.put(text.substring(0, equals), entry);
    }
  }
}
