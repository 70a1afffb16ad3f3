package dev.holdfast.cgroup;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Lines of files that have one for each device, such as {@code io.max} and {@code rdma.max}:
 *
 * <pre>
 * device { " " key "=" value } "\n"
 * </pre>
 *
 * <p>In some files a device whose values are all {@code max} has none.
 */
final class KeyedLine {
  private KeyedLine() {}

  /** What follows {@code first} in the line that begins with it. */
  static Optional<String> of(String text, String first) {
    for (String line : text.split("\n", -1)) {
      String stripped = line.strip();
      if (stripped.startsWith(first + " ")) {
        return Optional.of(stripped.substring(first.length() + 1));
      }
    }
    return Optional.empty();
  }

  /**
   * Whether the line {@code found} has all that was wanted; what it does not name is {@code max}.
   */
  static boolean holds(LimitValue.Keyed wanted, Optional<String> found) {
    Map<String, String> values = new HashMap<>();
    for (String word : found.orElse("").split(" +", -1)) {
      int equals = word.indexOf('=');
      if (equals > 0) {
        values.put(word.substring(0, equals), word.substring(equals + 1));
      }
    }
    for (Map.Entry<String, LimitValue> one : wanted.values().entrySet()) {
      if (!one.getValue().toString().equals(values.getOrDefault(one.getKey(), "max"))) {
        return false;
      }
    }
    return true;
  }

  /** What is in effect, in the kernel's words. */
  static LimitValue effective(String device, Optional<String> found) {
    return found.isPresent()
        ? new LimitValue.Text(device + " " + found.get())
        : LimitValue.UNLIMITED;
  }
}
