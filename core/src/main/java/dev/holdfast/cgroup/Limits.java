package dev.holdfast.cgroup;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * A request for limits, as the caller worded it. What the kernel made of it is an {@link
 * AppliedLimit} each.
 *
 * <p>Immutable and thread-safe; the builder is neither.
 */
public final class Limits {
  /** No limit at all. */
  public static final Limits NONE = builder().build();

  /**
   * One limit asked for, or implied by another.
   *
   * @param key of what there is one limit each, such as {@code 8:0} for a block device; empty where
   *     there is only one
   * @param value what it shall be
   * @param text as the caller worded it, such as {@code 64M}; empty for an implied limit
   */
  public record Request(LimitKind kind, String key, LimitValue value, Optional<String> text) {
    static Request of(LimitKind kind, LimitValue value, String text) {
      return new Request(kind, "", value, Optional.of(text));
    }

    /** What comes with another limit: it fails nothing. */
    static Request implied(LimitKind kind, LimitValue value) {
      return new Request(kind, "", value, Optional.empty());
    }

    /** The kernel's controller for it. */
    String controller() {
      if (kind != LimitKind.SET) {
        return kind.controller();
      }
      int dot = key.indexOf('.');
      return dot < 0 ? key : key.substring(0, dot);
    }

    boolean isFor(LimitKind otherKind, String otherKey) {
      return kind == otherKind && key.equals(otherKey);
    }
  }

  private final List<Request> requests;
  private final boolean oomGroup;

  private Limits(List<Request> requests, boolean oomGroup) {
    this.requests = List.copyOf(requests);
    this.oomGroup = oomGroup;
  }

  public static Builder builder() {
    return new Builder();
  }

  /** What was asked for {@code kind}; of several the first. */
  public Optional<Request> get(LimitKind kind) {
    for (Request request : requests) {
      if (request.kind() == kind) {
        return Optional.of(request);
      }
    }
    return Optional.empty();
  }

  /** All that was asked for {@code kind}, as there is one for each device of IO_MAX. */
  public List<Request> all(LimitKind kind) {
    List<Request> found = new ArrayList<>();
    for (Request request : requests) {
      if (request.kind() == kind) {
        found.add(request);
      }
    }
    return found;
  }

  /** What was asked for, in the order of {@link LimitKind}. */
  public List<Request> requests() {
    return requests;
  }

  /** The kernel's controllers that are needed, as v2 names them. */
  public Set<String> controllers() {
    Set<String> controllers = new TreeSet<>();
    for (Request request : requests) {
      controllers.add(request.controller());
    }
    return controllers;
  }

  public boolean isEmpty() {
    return requests.isEmpty();
  }

  /**
   * Whether one out-of-memory kill in the group ends the whole group; true unless set, or tasks
   * shall wait for memory instead of being killed.
   */
  public boolean oomGroup() {
    return oomGroup && !isAsked(LimitKind.OOM_KILL_DISABLE);
  }

  private boolean isAsked(LimitKind truth) {
    return get(truth).map(request -> request.value().equals(LimitValue.count(1))).orElse(false);
  }

  /** Every limit asked for, as one that nothing enforces. */
  public List<AppliedLimit> unenforced(String reason) {
    return requests.stream().map(request -> AppliedLimit.unenforced(request, reason)).toList();
  }

  /** net_cls has 32 bits, as has a socket's mark. */
  private static final long MOST_CLASSES = (1L << 32) - 1;

  private static final long MOST_SWAPPINESS = 200;

  /** As SO_PRIORITY, a signed number. */
  private static final long MOST_PRIORITY = Integer.MAX_VALUE;

  /** Collects limits. A value out of range is an {@link IllegalArgumentException}. */
  public static final class Builder {
    private final List<Request> requests = new ArrayList<>();
    private boolean oomGroup = true;

    private Builder() {}

    /** Hard limit in bytes; swap is 0 with it, unless {@link #swap} is given. */
    public Builder memory(long bytes) {
      return size(LimitKind.MEMORY, Long.toString(bytes));
    }

    /** Hard limit, such as {@code 64M} or {@code max}. */
    public Builder memory(String size) {
      return size(LimitKind.MEMORY, size);
    }

    /** Above this the kernel reclaims and slows the job down. */
    public Builder memoryHigh(String size) {
      return size(LimitKind.MEMORY_HIGH, size);
    }

    /** Below this memory is kept from reclaim as far as possible. */
    public Builder memoryLow(String size) {
      return size(LimitKind.MEMORY_LOW, size);
    }

    /** Below this memory is never reclaimed. */
    public Builder memoryMin(String size) {
      return size(LimitKind.MEMORY_MIN, size);
    }

    /** Swap alone, on top of memory. */
    public Builder swap(String size) {
      return size(LimitKind.SWAP, size);
    }

    /** Swap alone, on top of memory, in bytes; 0 for none. */
    public Builder swap(long bytes) {
      if (bytes < 0) {
        throw new IllegalArgumentException(bytes + " bytes of swap cannot be: give 0 or more");
      }
      return put(LimitKind.SWAP, LimitValue.count(bytes), Long.toString(bytes));
    }

    /**
     * Memory and swap together, in bytes, as v1 and OCI count: swap is what memory leaves of it.
     */
    public Builder memoryAndSwap(long memory, long together) {
      if (together < memory) {
        throw new IllegalArgumentException(
            "memory and swap together (" + together + ") are less than memory (" + memory + ")");
      }
      return memory(memory).swap(together - memory);
    }

    /** v2: above this the tasks that go on using swap are slowed down. */
    public Builder swapHigh(String size) {
      return size(LimitKind.SWAP_HIGH, size);
    }

    /** v2: what is compressed in memory on its way to swap. */
    public Builder zswap(String size) {
      return size(LimitKind.ZSWAP, size);
    }

    /** v1: how willingly the kernel swaps, 0 to 200. */
    public Builder swappiness(int value) {
      return set(LimitKind.SWAPPINESS, Integer.toString(value));
    }

    /** v1: tasks that find no memory wait until there is some, instead of being killed. */
    public Builder oomKillDisable(boolean yes) {
      return set(LimitKind.OOM_KILL_DISABLE, yes ? "yes" : "no");
    }

    /** Whether the group runs only when nobody else wants to. */
    public Builder cpuIdle(boolean yes) {
      return set(LimitKind.CPU_IDLE, yes ? "yes" : "no");
    }

    /** CPU time that may be saved up and used beyond the quota of a period; at most the quota. */
    public Builder cpuBurst(Duration time) {
      return set(LimitKind.CPU_BURST, TimeUnit.MICROSECONDS.convert(time) + "us");
    }

    /** The processors to run on, such as {@code 0-3,7}. */
    public Builder cpusetCpus(String list) {
      return set(LimitKind.CPUSET_CPUS, list);
    }

    /** The memory nodes to take memory from, such as {@code 0}. */
    public Builder cpusetMems(String list) {
      return set(LimitKind.CPUSET_MEMS, list);
    }

    /** v2: {@code member}, {@code root} or {@code isolated}. */
    public Builder cpusetPartition(String kind) {
      return set(LimitKind.CPUSET_PARTITION, kind);
    }

    /** CPU time per time, in CPUs, from 0.001. */
    public Builder cpus(double cpus) {
      return cpus(Double.toString(cpus));
    }

    /** CPUs, such as {@code 0.5} or {@code max}. */
    public Builder cpus(String text) {
      return put(LimitKind.CPUS, LimitText.cpus(text), text);
    }

    /**
     * CPU time in each period, in microseconds.
     *
     * @param quota at least 1000, or below 1 for as much as there is
     * @param period 1000 to 1000000
     */
    public Builder cpuQuota(long quota, long period) {
      if (quota > 0 && quota < CpuQuota.LEAST_QUOTA) {
        throw new IllegalArgumentException(
            "a quota of " + quota + " us is too short: the kernel takes none under 1000");
      }
      return bandwidth(quota > 0 ? quota : LimitValue.Bandwidth.NO_QUOTA, period);
    }

    /** The period of CPU time in microseconds, 1000 to 1000000; the quota stays what it is. */
    public Builder cpuPeriod(long period) {
      return bandwidth(LimitValue.Bandwidth.SAME_QUOTA, period);
    }

    private Builder bandwidth(long quota, long period) {
      if (period < CpuQuota.SHORTEST_PERIOD || period > CpuQuota.LONGEST_PERIOD) {
        throw new IllegalArgumentException(
            "a period of " + period + " us is not from 1000 to 1000000");
      }
      LimitValue value = new LimitValue.Bandwidth(quota, period);
      return put(LimitKind.CPUS, value, value.toString());
    }

    /**
     * Share of the CPUs against siblings in v1's unit, 2 to 262144; 1024 is usual. What is beyond
     * these counts as the nearer of them, as with the kernel.
     */
    public Builder cpuShares(long shares) {
      if (shares < 0) {
        throw new IllegalArgumentException(
            shares + " shares of the CPUs cannot be: give 2 to 262144");
      }
      return put(LimitKind.CPU_WEIGHT, new LimitValue.Shares(shares), shares + " shares");
    }

    /** Share of the CPUs against siblings, 1 to 10000; 100 is usual. */
    public Builder cpuWeight(long weight) {
      return cpuWeight(Long.toString(weight));
    }

    /** As {@link #cpuWeight(long)}. */
    public Builder cpuWeight(String text) {
      return put(LimitKind.CPU_WEIGHT, LimitText.count(text, 1, 10_000), text);
    }

    /** How many tasks (processes and threads) at once. */
    public Builder pids(long tasks) {
      return pids(Long.toString(tasks));
    }

    /** Tasks at once, or {@code max}. */
    public Builder pids(String text) {
      return put(
          LimitKind.PIDS,
          LimitText.isUnlimited(text)
              ? LimitValue.UNLIMITED
              : LimitText.count(text, 1, LimitText.MOST_TASKS),
          text);
    }

    /**
     * Which devices may be used: rules as {@link DeviceRule#parse} takes them, in their order over
     * "all allowed"; the last that matches counts.
     *
     * @throws IllegalArgumentException as {@link DevicePolicy#with} does, too
     */
    public Builder devices(List<String> rules) {
      List<DeviceRule> parsed = new ArrayList<>();
      for (String rule : rules) {
        parsed.add(DeviceRule.parse(rule));
      }
      return devices(DevicePolicy.ALLOW_ALL.with(parsed), String.join(", ", rules));
    }

    /** Which devices may be used. */
    public Builder devices(DevicePolicy policy) {
      return devices(policy, policy.toString());
    }

    private Builder devices(DevicePolicy policy, String text) {
      return put(LimitKind.DEVICE, new LimitValue.Devices(policy), text);
    }

    /** The class of packets, 32 bits; on v2 the mark of new sockets (SO_MARK). */
    public Builder netClass(long number) {
      return netClass(Long.toString(number));
    }

    private Builder netClass(String text) {
      return put(LimitKind.NET_CLASS, LimitText.count(text, 0, MOST_CLASSES), text);
    }

    /** The priority of packets, on every network interface (on v2: SO_PRIORITY of new sockets). */
    public Builder netPriority(long priority) {
      return netPriority(Long.toString(priority));
    }

    /**
     * The priority of packets on one network interface. v2 has but one for all: there several
     * interfaces must be given the same.
     */
    public Builder netPriority(String networkInterface, long priority) {
      return netPriority(networkInterface + "=" + priority);
    }

    private Builder netPriority(String text) {
      int equals = text.indexOf('=');
      String name = equals < 0 ? "" : text.substring(0, equals);
      if (equals >= 0 && !name.matches("[^/:\\s\\p{Cntrl}]{1,15}")) {
        throw new IllegalArgumentException(
            "\"" + name + "\" is no network interface: give a name such as eth0");
      }
      LimitValue value = LimitText.count(text.substring(equals + 1), 0, MOST_PRIORITY);
      return put(new Request(LimitKind.NET_PRIORITY, name, value, Optional.of(text)));
    }

    /** See {@link Limits#oomGroup}. */
    public Builder oomGroup(boolean yes) {
      oomGroup = yes;
      return this;
    }

    /**
     * Sets {@code kind} as the option of that name would; device rules are apart by commas, and a
     * priority for one network interface is {@code eth0=5}.
     */
    public Builder set(LimitKind kind, String text) {
      return switch (kind) {
        case MEMORY, MEMORY_HIGH, MEMORY_LOW, MEMORY_MIN, SWAP, SWAP_HIGH, ZSWAP ->
            size(kind, text);
        case CPUS -> cpus(text);
        case CPU_WEIGHT -> cpuWeight(text);
        case PIDS -> pids(text);
        case DEVICE -> devices(List.of(text.split("\\s*,\\s*", -1)));
        case NET_CLASS -> netClass(text);
        case NET_PRIORITY -> netPriority(text);
        case SET -> raw(text);
        case SWAPPINESS -> put(kind, LimitText.count(text, 0, MOST_SWAPPINESS), text);
        case OOM_KILL_DISABLE, CPU_IDLE -> put(kind, LimitSyntax.truth(text), text);
        case CPU_BURST -> put(kind, LimitSyntax.micros(text), text);
        case CPU_UCLAMP_MIN, CPU_UCLAMP_MAX -> put(kind, LimitSyntax.percent(text), text);
        case CPU_REALTIME -> put(kind, LimitSyntax.realtime(text), text);
        case CPUSET_CPUS, CPUSET_MEMS -> put(kind, LimitSyntax.ids(text), text);
        case CPUSET_PARTITION -> put(kind, LimitSyntax.partition(text), text);
        default -> throw new IllegalArgumentException(kind.optionName() + " is not to be had yet");
      };
    }

    /**
     * Any file of the kernel's, such as {@code memory.swappiness=10}; what is set so is set after
     * everything else.
     */
    public Builder raw(String assignment) {
      int equals = assignment.indexOf('=');
      String file = equals < 0 ? "" : assignment.substring(0, equals);
      String value = assignment.substring(equals + 1);
      if (!file.matches("[a-z_]+\\.[A-Za-z0-9_.]+") || value.isBlank()) {
        throw new IllegalArgumentException(
            "\"" + assignment + "\" is not FILE=VALUE, such as memory.swappiness=10");
      }
      return put(
          new Request(LimitKind.SET, file, new LimitValue.Text(value), Optional.of(assignment)));
    }

    public Limits build() {
      List<Request> sorted = new ArrayList<>(requests);
      sorted.sort((one, other) -> one.kind().compareTo(other.kind()));
      return new Limits(sorted, oomGroup);
    }

    private Builder size(LimitKind kind, String text) {
      return put(kind, LimitText.size(text), text);
    }

    private Builder put(LimitKind kind, LimitValue value, String text) {
      return put(Request.of(kind, value, text));
    }

    /** A later one of the same kind and key takes the place of an earlier one. */
    private Builder put(Request request) {
      requests.removeIf(other -> other.isFor(request.kind(), request.key()));
      requests.add(request);
      return this;
    }
  }
}
