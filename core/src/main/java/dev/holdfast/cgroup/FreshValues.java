package dev.holdfast.cgroup;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel puts into the files of a group that it makes, whatever the group above has: what
 * nobody has written yet need not be read to be known.
 */
final class FreshValues {
  private static final Map<String, String> VALUES =
      Map.ofEntries(
          Map.entry("pids.max", "max"),
          Map.entry("cpu.max", "max 100000"),
          Map.entry("cpu.weight", "100"),
          Map.entry("cpu.cfs_quota_us", "-1"),
          Map.entry("cpu.cfs_period_us", "100000"),
          Map.entry("cpu.shares", "1024"),
          Map.entry("memory.max", "max"),
          Map.entry("memory.high", "max"),
          Map.entry("memory.low", "0"),
          Map.entry("memory.min", "0"),
          Map.entry("memory.oom.group", "0"),
          Map.entry("memory.swap.max", "max"),
          Map.entry("memory.limit_in_bytes", "-1"),
          Map.entry("memory.memsw.limit_in_bytes", "-1"));

  /** Those that are known. */
  static final Set<String> FILES = VALUES.keySet();

  private FreshValues() {}

  /** As it can be written back; null where it is not always the same. */
  static @Nullable String of(String file) {
    return VALUES.get(file);
  }
}
