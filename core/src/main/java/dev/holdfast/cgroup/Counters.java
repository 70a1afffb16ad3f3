package dev.holdfast.cgroup;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Numbers of a kernel file, by the names that the kernel gives them, such as those of {@code
 * memory.stat}. One that this kernel does not have is absent. Immutable.
 */
public final class Counters {
  static final Counters NONE = new Counters(Map.of());

  private final Map<String, Long> values;

  private Counters(Map<String, Long> values) {
    this.values = Collections.unmodifiableMap(values);
  }

  /** The number called {@code name}. */
  public OptionalLong get(String name) {
    Long value = values.get(name);
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  /** Those that there are, in the kernel's order. */
  public Set<String> names() {
    return values.keySet();
  }

  public boolean isEmpty() {
    return values.isEmpty();
  }

  /**
   * Flat keyed, one a line; a value that is no number, such as {@code max}, is left out:
   *
   * <pre>
   * KEY VALUE
   * </pre>
   */
  static Counters flat(@Nullable String text) {
    if (text == null) {
      return NONE;
    }
    Map<String, Long> values = new LinkedHashMap<>();
    for (String line : text.split("\n", -1)) {
      put(values, line, line.indexOf(' '));
    }
    return new Counters(values);
  }

  /**
   * Nested keyed, a line for each device:
   *
   * <pre>
   * 8:0 rbytes=1459200 wbytes=314773504 rios=192
   * </pre>
   */
  static Map<String, Counters> nested(@Nullable String text) {
    Map<String, Counters> all = new LinkedHashMap<>();
    if (text != null) {
      for (String line : text.split("\n", -1)) {
        String[] words = line.split(" +", -1);
        Map<String, Long> values = new LinkedHashMap<>();
        for (int i = 1; i < words.length; i++) {
          put(values, words[i], words[i].indexOf('='));
        }
        if (!values.isEmpty() && isName(words[0])) {
          all.put(words[0], new Counters(values));
        }
      }
    }
    return Collections.unmodifiableMap(all);
  }

  /** Whether a line begins with one, and not with a blank or a number of nobody knows what. */
  static boolean isName(String word) {
    return !word.isEmpty() && word.indexOf('=') < 0;
  }

  static Counters of(Map<String, Long> values) {
    return new Counters(new LinkedHashMap<>(values));
  }

  private static void put(Map<String, Long> values, String pair, int separator) {
    if (separator > 0) {
      OptionalLong number = FlatKeyed.number(pair.substring(separator + 1));
      if (number.isPresent()) {
        values.put(pair.substring(0, separator), number.getAsLong());
      }
    }
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
