package dev.holdfast.cgroup;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads the {@code *.numa_stat} files: numbers by NUMA node. */
final class NodeCounts {
  /** How v1 begins the lines that count nested groups too. */
  static final String HIERARCHICAL = "hierarchical_";

  private NodeCounts() {}

  /**
   * A name, and what of it each node has:
   *
   * <pre>
   * anon N0=4096 N1=0
   * </pre>
   *
   * @param text null if there is none
   */
  static Map<Integer, Counters> plain(@Nullable String text) {
    return parse(text, "", /* totals= */ false, 1);
  }

  /**
   * The same where each name comes with a total:
   *
   * <pre>
   * total=12 N0=12 N1=0
   * hierarchical_total=14 N0=14 N1=0
   * </pre>
   *
   * @param prefix of the names that count; they are given without
   * @param unit what one is
   */
  static Map<Integer, Counters> withTotals(@Nullable String text, String prefix, long unit) {
    return parse(text, prefix, /* totals= */ true, unit);
  }

  private static Map<Integer, Counters> parse(
      @Nullable String text, String prefix, boolean totals, long unit) {
    if (text == null) {
      return Map.of();
    }
    Map<Integer, Map<String, Long>> nodes = new TreeMap<>();
    for (String line : text.split("\n", -1)) {
      String[] words = line.split(" ", -1);
      String name = totals ? beforeTotal(words[0], prefix) : words[0];
      if (Counters.isName(name)) {
        for (int i = 1; i < words.length; i++) {
          put(nodes, name, words[i], unit);
        }
      }
    }
    Map<Integer, Counters> all = new LinkedHashMap<>();
    nodes.forEach((node, counts) -> all.put(node, Counters.of(counts)));
    return Collections.unmodifiableMap(all);
  }

  /** Empty if it is none of those looked for. */
  private static String beforeTotal(String word, String prefix) {
    int total = word.indexOf('=');
    return total > 0 && word.startsWith(prefix) ? word.substring(prefix.length(), total) : "";
  }

  private static void put(
      Map<Integer, Map<String, Long>> nodes, String name, String pair, long unit) {
    int equals = pair.indexOf('=');
    if (equals < 2 || pair.charAt(0) != 'N') {
      return;
    }
    OptionalLong node = FlatKeyed.number(pair.substring(1, equals));
    OptionalLong count = FlatKeyed.number(pair.substring(equals + 1));
    if (node.orElse(-1) >= 0
        && node.getAsLong() <= Short.MAX_VALUE
        && count.isPresent()
        && count.getAsLong() <= Long.MAX_VALUE / unit) {
      nodes
          .computeIfAbsent((int) node.getAsLong(), n -> new LinkedHashMap<>())
          .put(name, count.getAsLong() * unit);
    }
  }
}
