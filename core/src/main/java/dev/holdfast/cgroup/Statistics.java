package dev.holdfast.cgroup;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Everything that the kernel counts for a group, where {@link Usage} has what every report tells.
 * Sizes are bytes. What the kernel does not give is absent, never 0: older kernels have less, and
 * v1 has less. Taken by {@link Cgroup#statistics}. Immutable.
 *
 * <p>Counts include nested groups, those that are gone too; those called local do not. What the
 * kernel counts per group only ({@code pids.events} on v1, and on v2 before Linux 6.11) is local
 * here; {@link Usage} adds that up.
 *
 * @param groups the groups nested in it
 * @param io by block device, such as {@code 8:0}; only those that were used
 * @param hugeTlb by size of page, such as {@code 2MB}
 * @param rdma by device
 * @param misc by resource
 * @param pressure PSI by what was short; empty where the kernel has none
 */
public record Statistics(
    Groups groups,
    Cpu cpu,
    Memory memory,
    Swap swap,
    Pids pids,
    Map<String, Io> io,
    Map<String, HugeTlb> hugeTlb,
    Map<String, Rdma> rdma,
    Map<String, Misc> misc,
    Map<PressureKind, PressureStall> pressure) {

  /**
   * {@code cgroup.stat} and {@code cgroup.stat.local} of v2.
   *
   * @param living nested groups, theirs included
   * @param dying those that were removed, and that the kernel still keeps for what is charged to
   *     them
   * @param frozen for how long the group was frozen, by itself or by one above (Linux 6.18)
   * @param stat the whole of {@code cgroup.stat} by the kernel's names, such as {@code
   *     nr_subsys_memory} (Linux 6.12)
   */
  public record Groups(
      OptionalLong living, OptionalLong dying, Optional<Duration> frozen, Counters stat) {}

  /**
   * {@code cpu.stat} and {@code cpu.stat.local}, or v1's {@code cpu.stat} and {@code cpuacct.*}.
   *
   * @param nice the part of user time that ran with a nice value above 0 (Linux 6.11)
   * @param forcedIdle for how long CPUs beside the group's were kept idle (core scheduling)
   * @param periods periods of the group's own limit that have passed
   * @param throttledPeriods those in which it was used up
   * @param throttled for how long the group's members were held back by its limit, all CPUs added
   * @param throttledLocal for how long the group was, by its own limit or one above (Linux 6.7)
   * @param bursts periods in which more was used than the limit, out of what was saved
   * @param burst how much that was in all
   */
  public record Cpu(
      Optional<Duration> total,
      Optional<Duration> user,
      Optional<Duration> system,
      Optional<Duration> nice,
      Optional<Duration> forcedIdle,
      OptionalLong periods,
      OptionalLong throttledPeriods,
      Optional<Duration> throttled,
      Optional<Duration> throttledLocal,
      OptionalLong bursts,
      Optional<Duration> burst) {}

  /**
   * The {@code memory.*} files.
   *
   * @param current what is charged now, page cache included
   * @param peak the most there ever was
   * @param zswap what compressed swap takes of it
   * @param stat {@code memory.stat} by the kernel's names, of which there are more with each
   *     version; on v1 the {@code total_} ones, without that
   * @param nodes {@code memory.numa_stat} by NUMA node, by the kernel's names; on v1 the {@code
   *     hierarchical_} ones, without that, in bytes too
   * @param events absent on v1
   * @param localEvents on v1 max ({@code memory.failcnt}) and oomKill
   */
  public record Memory(
      OptionalLong current,
      OptionalLong peak,
      OptionalLong zswap,
      Counters stat,
      Map<Integer, Counters> nodes,
      MemoryEvents events,
      MemoryEvents localEvents) {

    /**
     * What the group could not do without: what is charged less the page cache that was not used
     * lately, which the kernel takes back first.
     */
    public OptionalLong workingSet() {
      OptionalLong inactive = stat.get("inactive_file");
      return current.isEmpty() || inactive.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(Math.max(current.getAsLong() - inactive.getAsLong(), 0));
    }
  }

  /**
   * How often, as {@code memory.events} has it.
   *
   * @param low memory below memory-low was reclaimed
   * @param high usage went over memory-high, and members were slowed down
   * @param max usage was about to go over the hard limit
   * @param oom that did not help, and an allocation was about to fail
   * @param oomKill processes that were killed for it
   * @param oomGroupKill whole groups that were
   */
  public record MemoryEvents(
      OptionalLong low,
      OptionalLong high,
      OptionalLong max,
      OptionalLong oom,
      OptionalLong oomKill,
      OptionalLong oomGroupKill) {}

  /**
   * The {@code memory.swap.*} files of v2, and v1's {@code memory.memsw.*}, which counts memory and
   * swap together.
   *
   * @param high how often usage went over the soft limit of swap
   * @param max how often it was about to go over the hard one
   * @param fail how often nothing was to be had, for that limit or for want of swap
   * @param withMemory v1: memory and swap now
   * @param withMemoryPeak v1: the most there ever was of both
   * @param withMemoryMax v1: how often both were about to go over their limit, {@code
   *     memory.memsw.failcnt}
   */
  public record Swap(
      OptionalLong current,
      OptionalLong peak,
      OptionalLong high,
      OptionalLong max,
      OptionalLong fail,
      OptionalLong withMemory,
      OptionalLong withMemoryPeak,
      OptionalLong withMemoryMax) {}

  /**
   * Tasks, which are processes and threads.
   *
   * @param peak the most there ever were
   * @param rejected forks that a limit of this group or of one nested in it rejected
   * @param rejectedLocal forks that this group's limit rejected
   */
  public record Pids(
      OptionalLong current, OptionalLong peak, OptionalLong rejected, OptionalLong rejectedLocal) {}

  /**
   * A block device, from {@code io.stat} or v1's {@code blkio.throttle.*_recursive}, or {@code
   * blkio.bfq.*_recursive} where those tell of no device.
   *
   * @param more what else the kernel tells by its own names, such as {@code cost.usage}
   */
  public record Io(
      OptionalLong readBytes,
      OptionalLong writeBytes,
      OptionalLong discardBytes,
      OptionalLong reads,
      OptionalLong writes,
      OptionalLong discards,
      Counters more) {}

  /**
   * Huge pages of one size.
   *
   * @param current bytes of them in use
   * @param peak v1: the most there ever were
   * @param reserved bytes that are promised to mappings, used or not
   * @param reservedPeak v1: the most there ever were
   * @param max how often the limit was in the way; absent on v1
   * @param localMax the same of the group's own limit; on v1 {@code failcnt}
   * @param reservedLocalMax v1: the same of the group's own limit of promises
   * @param nodes bytes of them in use, by NUMA node (Linux 5.17)
   */
  public record HugeTlb(
      OptionalLong current,
      OptionalLong peak,
      OptionalLong reserved,
      OptionalLong reservedPeak,
      OptionalLong max,
      OptionalLong localMax,
      OptionalLong reservedLocalMax,
      Map<Integer, Long> nodes) {}

  /** What an RDMA device is used for now, {@code rdma.current}. */
  public record Rdma(OptionalLong handles, OptionalLong objects) {}

  /**
   * A resource of the misc controller, in its own unit.
   *
   * @param peak the most there ever was
   * @param max how often usage was about to go over the limit
   * @param localMax the same of the group's own limit
   */
  public record Misc(
      OptionalLong current, OptionalLong peak, OptionalLong max, OptionalLong localMax) {}

  /** PSI of one kind; empty where the kernel has none. */
  public Optional<PressureStall> pressure(PressureKind kind) {
    return Optional.ofNullable(pressure.get(kind));
  }
}
