package dev.holdfast.cgroup;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a group has used, dead members included. A value that the kernel does not give is absent,
 * never 0. Immutable.
 */
public record Usage(Cpu cpu, Memory memory, Pids pids, Io io, Pressure pressure, Trips trips) {
  /** Nothing is known. */
  public static final Usage NONE =
      new Usage(Cpu.NONE, Memory.NONE, Pids.NONE, Io.NONE, Pressure.NONE, Trips.NONE);

  /** CPU time. The number of throttled periods is that of the group's own limit. */
  public record Cpu(
      Optional<Duration> total,
      Optional<Duration> user,
      Optional<Duration> system,
      Optional<Duration> throttled,
      OptionalLong throttledPeriods) {
    public static final Cpu NONE =
        new Cpu(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalLong.empty());
  }

  /** Memory in bytes; out-of-memory kills in processes, nested groups included. */
  public record Memory(OptionalLong current, OptionalLong peak, OptionalLong oomKills) {
    public static final Memory NONE =
        new Memory(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
  }

  /**
   * Tasks, which are processes and threads; how often a fork was rejected, nested groups included.
   */
  public record Pids(OptionalLong current, OptionalLong peak, OptionalLong rejected) {
    public static final Pids NONE =
        new Pids(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());
  }

  /** Bytes moved to and from block devices. */
  public record Io(OptionalLong readBytes, OptionalLong writeBytes) {
    public static final Io NONE = new Io(OptionalLong.empty(), OptionalLong.empty());
  }

  /** How long some task waited for the resource (PSI, the "some" total). */
  public record Pressure(
      Optional<Duration> cpuSome, Optional<Duration> memorySome, Optional<Duration> ioSome) {
    public static final Pressure NONE =
        new Pressure(Optional.empty(), Optional.empty(), Optional.empty());
  }

  /**
   * How often the group came up against its limits, where the kernel counts that: the evidence for
   * {@link AppliedLimit.Evidence}.
   *
   * @param memoryMax usage was about to go over the hard limit ({@code memory.events} max, v1
   *     failcnt)
   * @param memoryHigh usage went over memory-high
   * @param memoryLow memory was reclaimed below memory-low
   * @param swapMax swap was about to go over its limit
   * @param hugetlb huge pages were about to, by size of page, such as {@code 2MB}
   * @param misc a resource of {@link LimitKind#MISC} was about to, by its name
   */
  public record Trips(
      OptionalLong memoryMax,
      OptionalLong memoryHigh,
      OptionalLong memoryLow,
      OptionalLong swapMax,
      Map<String, Long> hugetlb,
      Map<String, Long> misc) {
    public static final Trips NONE =
        new Trips(
            OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());

    public Trips {
      hugetlb = Map.copyOf(hugetlb);
      misc = Map.copyOf(misc);
    }

    /** Of memory and swap alone. */
    public Trips(
        OptionalLong memoryMax,
        OptionalLong memoryHigh,
        OptionalLong memoryLow,
        OptionalLong swapMax) {
      this(memoryMax, memoryHigh, memoryLow, swapMax, Map.of(), Map.of());
    }
  }

  private static OptionalLong count(Map<String, Long> counts, String key) {
    Long count = counts.get(key);
    return count == null ? OptionalLong.empty() : OptionalLong.of(count);
  }

  /** What these figures say of a limit. */
  public AppliedLimit.Evidence evidence(AppliedLimit limit) {
    if (!limit.isEnforced()) {
      return AppliedLimit.Evidence.UNKNOWN;
    }
    OptionalLong count =
        switch (limit.kind()) {
          case MEMORY -> trips.memoryMax();
          case MEMORY_HIGH -> trips.memoryHigh();
          case MEMORY_LOW -> trips.memoryLow();
          case SWAP -> trips.swapMax();
          case CPUS -> cpu.throttledPeriods();
          case PIDS -> pids.rejected();
          case HUGETLB -> count(trips.hugetlb(), limit.key());
          case MISC -> count(trips.misc(), limit.key());
          default -> OptionalLong.empty();
        };
    if (count.isEmpty()) {
      return AppliedLimit.Evidence.UNKNOWN;
    }
    return count.getAsLong() > 0
        ? AppliedLimit.Evidence.TRIPPED
        : AppliedLimit.Evidence.NOT_TRIPPED;
  }
}
