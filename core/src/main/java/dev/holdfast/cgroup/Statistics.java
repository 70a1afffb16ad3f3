package dev.holdfast.cgroup;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Everything that the kernel counts for a group, where {@link Usage} has what every report tells.
 * What it does not give is absent, never 0. Taken by {@link Cgroup#statistics}. Immutable.
 *
 * @param cpu {@code cpu.stat}
 * @param memory {@code memory.stat}, nested groups included; on v1 the {@code total_} ones
 * @param memoryCurrent bytes that are charged now, page cache included
 * @param memoryPeak the most there ever were, in bytes
 * @param swapCurrent bytes in swap now; absent on v1, which counts memory and swap together
 * @param swapPeak the most there ever were, in bytes
 * @param zswapCurrent bytes that compressed swap takes in memory
 * @param memoryEvents {@code memory.events}, nested groups included
 * @param memoryEventsLocal the same without nested groups
 * @param swapEvents {@code memory.swap.events}
 * @param io {@code io.stat} by device, such as {@code 8:0}; on v1 rbytes, wbytes, rios and wios
 * @param pidsCurrent tasks now
 * @param pidsPeak the most there ever were
 * @param pidsEvents {@code pids.events}
 * @param hugetlb by size of page, such as {@code 2MB}: {@code current}, {@code rsvd.current},
 *     {@code max} (how often the limit was in the way); bytes
 * @param rdma {@code rdma.current} by device
 * @param misc {@code misc.current}
 * @param miscEvents {@code misc.events}
 * @param pressure PSI by what was short
 */
public record Statistics(
    Counters cpu,
    Counters memory,
    OptionalLong memoryCurrent,
    OptionalLong memoryPeak,
    OptionalLong swapCurrent,
    OptionalLong swapPeak,
    OptionalLong zswapCurrent,
    Counters memoryEvents,
    Counters memoryEventsLocal,
    Counters swapEvents,
    Map<String, Counters> io,
    OptionalLong pidsCurrent,
    OptionalLong pidsPeak,
    Counters pidsEvents,
    Map<String, Counters> hugetlb,
    Map<String, Counters> rdma,
    Counters misc,
    Counters miscEvents,
    Map<PressureKind, PressureStall> pressure) {

  /**
   * Bytes that the group could not do without: what is charged less the page cache that was not
   * used lately, which the kernel takes back first.
   */
  public OptionalLong workingSet() {
    OptionalLong inactive = memory.get("inactive_file");
    return memoryCurrent.isEmpty() || inactive.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(Math.max(memoryCurrent.getAsLong() - inactive.getAsLong(), 0));
  }

  /** PSI of one kind; empty where the kernel has none. */
  public Optional<PressureStall> pressure(PressureKind kind) {
    return Optional.ofNullable(pressure.get(kind));
  }
}
