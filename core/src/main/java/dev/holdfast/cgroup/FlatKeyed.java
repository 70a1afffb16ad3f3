package dev.holdfast.cgroup;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's "flat keyed" files, such as {@code cgroup.events} and {@code memory.events}:
 *
 * <pre>
 * KEY0 VALUE0\n
 * KEY1 VALUE1\n
 * </pre>
 */
final class FlatKeyed {
  private FlatKeyed() {}

  /** The value of {@code key}; empty if it is not there, or {@code text} is null. */
  static OptionalLong value(@Nullable String text, String key) {
    if (text == null) {
      return OptionalLong.empty();
    }
    int at = 0;
    while (at < text.length()) {
      int end = text.indexOf('\n', at);
      if (end < 0) {
        end = text.length();
      }
      if (text.startsWith(key, at)
          && at + key.length() < end
          && text.charAt(at + key.length()) == ' ') {
        return number(text.substring(at + key.length() + 1, end));
      }
      at = end + 1;
    }
    return OptionalLong.empty();
  }

  /**
   * A file that holds one number from 0; empty if it holds something else, or is null. It must be
   * written as the kernel writes it: without blanks or zeros in front, within 63 bits.
   */
  static OptionalLong number(@Nullable String text) {
    OptionalLong number = signed(text);
    return number.orElse(0) < 0 ? OptionalLong.empty() : number;
  }

  /** As {@link #number}, but it may be below 0, which stands for no limit in some files of v1. */
  static OptionalLong signed(@Nullable String text) {
    if (text == null) {
      return OptionalLong.empty();
    }
    String digits = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    int first = digits.startsWith("-") ? 1 : 0;
    if (first == digits.length() || (digits.charAt(first) == '0' && digits.length() > 1)) {
      return OptionalLong.empty();
    }
    for (int i = first; i < digits.length(); i++) {
      if (digits.charAt(i) < '0' || digits.charAt(i) > '9') {
        return OptionalLong.empty(); // Java knows more digits than the kernel
      }
    }
    try {
      return OptionalLong.of(Long.parseLong(digits));
    } catch (NumberFormatException tooLarge) {
      return OptionalLong.empty();
    }
  }
}
