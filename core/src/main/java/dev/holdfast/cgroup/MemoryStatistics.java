package dev.holdfast.cgroup;

import dev.holdfast.linux.PageSize;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Memory and swap, of either version. Thread-safe. */
final class MemoryStatistics {
  private static final String TOTAL = "total_";
  private static final String HIERARCHICAL = "hierarchical_";

  private final SnapshotFiles files;
  private volatile long pageBytes;

  MemoryStatistics(SnapshotFiles files) {
    this.files = files;
  }

  Statistics.Memory read() throws IOException {
    Counters stat = Counters.flat(files.text("memory.stat"));
    return new Statistics.Memory(
        files.number("memory.current", "memory.usage_in_bytes"),
        files.number("memory.peak", "memory.max_usage_in_bytes"),
        files.number("memory.zswap.current", null),
        files.legacy() ? total(stat) : stat,
        nodes(),
        events(files.text("memory.events", null)),
        files.legacy() ? legacyEvents() : events(files.text("memory.events.local")));
  }

  private Map<Integer, Counters> nodes() throws IOException {
    String text = files.text("memory.numa_stat");
    if (!files.legacy() || text == null) {
      return nodes(text, /* prefix= */ "", 1);
    }
    if (pageBytes == 0) {
      pageBytes = PageSize.bytes().orElse(-1);
    }
    return pageBytes < 0 ? Map.of() : nodes(text, HIERARCHICAL, pageBytes);
  }

  Statistics.Swap swap() throws IOException {
    String events = files.text("memory.swap.events", null);
    return new Statistics.Swap(
        files.number("memory.swap.current", null),
        files.number("memory.swap.peak", null),
        FlatKeyed.value(events, "high"),
        FlatKeyed.value(events, "max"),
        FlatKeyed.value(events, "fail"),
        files.number(null, "memory.memsw.usage_in_bytes"),
        files.number(null, "memory.memsw.max_usage_in_bytes"));
  }

  private static Statistics.MemoryEvents events(@Nullable String text) {
    return new Statistics.MemoryEvents(
        FlatKeyed.value(text, "low"),
        FlatKeyed.value(text, "high"),
        FlatKeyed.value(text, "max"),
        FlatKeyed.value(text, "oom"),
        FlatKeyed.value(text, "oom_kill"),
        FlatKeyed.value(text, "oom_group_kill"));
  }

  private Statistics.MemoryEvents legacyEvents() throws IOException {
    OptionalLong none = OptionalLong.empty();
    return new Statistics.MemoryEvents(
        none,
        none,
        files.number(null, "memory.failcnt"),
        none,
        FlatKeyed.value(files.text("memory.oom_control"), "oom_kill"),
        none);
  }

  private static Counters total(Counters all) {
    Map<String, Long> totals = new LinkedHashMap<>();
    for (String name : all.names()) {
      if (name.startsWith(TOTAL) && name.length() > TOTAL.length()) {
        totals.put(name.substring(TOTAL.length()), all.get(name).orElse(0));
      }
    }
    return Counters.of(totals);
  }

  /**
   * By node. v2, in bytes:
   *
   * <pre>
   * anon N0=4096 N1=0
   * </pre>
   *
   * v1, in pages, each line twice, the second with nested groups:
   *
   * <pre>
   * total=12 N0=12 N1=0
   * hierarchical_total=14 N0=14 N1=0
   * </pre>
   */
  private static Map<Integer, Counters> nodes(@Nullable String text, String prefix, long unit) {
    if (text == null) {
      return Map.of();
    }
    Map<Integer, Map<String, Long>> nodes = new TreeMap<>();
    for (String line : text.split("\n", -1)) {
      String[] words = line.split(" ", -1);
      String name = name(words[0], prefix);
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

  /** Empty if it is none of those looked for; v1's comes with a total. */
  private static String name(String word, String prefix) {
    if (prefix.isEmpty()) {
      return word;
    }
    int total = word.indexOf('=');
    return word.startsWith(prefix) && total > 0 ? word.substring(prefix.length(), total) : "";
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
