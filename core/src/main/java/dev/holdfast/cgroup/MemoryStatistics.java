package dev.holdfast.cgroup;

import dev.holdfast.linux.PageSize;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Memory and swap, of either version. Thread-safe. */
final class MemoryStatistics {
  private static final String TOTAL = "total_";

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

  /** v1 counts pages, each line twice: the second with nested groups. */
  private Map<Integer, Counters> nodes() throws IOException {
    String text = files.text("memory.numa_stat");
    if (!files.legacy() || text == null) {
      return NodeCounts.plain(text);
    }
    if (pageBytes == 0) {
      pageBytes = PageSize.bytes().orElse(-1);
    }
    return pageBytes < 0
        ? Map.of()
        : NodeCounts.withTotals(text, NodeCounts.HIERARCHICAL, pageBytes);
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
        files.number(null, "memory.memsw.max_usage_in_bytes"),
        files.number(null, "memory.memsw.failcnt"));
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
}
