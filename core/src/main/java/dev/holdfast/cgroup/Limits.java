package dev.holdfast.cgroup;

import java.math.BigDecimal;
import java.math.RoundingMode;
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

    /** What {@code later}, of the same kind and key, makes of this. */
    private Request and(Request later) {
      if (value instanceof LimitValue.Keyed former
          && later.value instanceof LimitValue.Keyed more) {
        LimitValue.Keyed both = former.and(more);
        // What is replaced as a whole is not shown any more.
        return both.values().size() == more.values().size()
            ? later
            : new Request(
                kind, key, both, text.map(before -> before + ", " + later.text.orElse("")));
      }
      return later;
    }

    boolean isFor(LimitKind otherKind, String otherKey) {
      return kind == otherKind && key.equals(otherKey);
    }
  }

  private final List<Request> requests;
  private final Optional<Boolean> oomGroup;

  private Limits(List<Request> requests, Optional<Boolean> oomGroup) {
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
    return oomGroup.orElse(true) && !isAsked(LimitKind.OOM_KILL_DISABLE);
  }

  /** What was asked for {@link #oomGroup}; a change of limits without it leaves it as it is. */
  public Optional<Boolean> askedOomGroup() {
    return oomGroup;
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
    private Optional<Boolean> oomGroup = Optional.empty();

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
      return noneOrMore(LimitKind.SWAP, bytes, "swap");
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

    /** As above, in bytes; 0 for none: what is swapped goes to the device. */
    public Builder zswap(long bytes) {
      return noneOrMore(LimitKind.ZSWAP, bytes, "compressed swap");
    }

    private Builder noneOrMore(LimitKind kind, long bytes, String what) {
      if (bytes < 0) {
        throw new IllegalArgumentException(
            bytes + " bytes of " + what + " cannot be: give 0 or more");
      }
      return put(kind, LimitValue.count(bytes), Long.toString(bytes));
    }

    /** v1: how willingly the kernel swaps, 0 to 200. */
    public Builder swappiness(int value) {
      return set(LimitKind.SWAPPINESS, Integer.toString(value));
    }

    /** v1: tasks that find no memory wait until there is some, instead of being killed. */
    public Builder oomKillDisable(boolean yes) {
      return set(LimitKind.OOM_KILL_DISABLE, yes ? "yes" : "no");
    }

    /** v1 before Linux 5.16: what the kernel itself uses for the group. */
    public Builder memoryKernel(String size) {
      return size(LimitKind.MEMORY_KERNEL, size);
    }

    /** Whether the group runs only when nobody else wants to. */
    public Builder cpuIdle(boolean yes) {
      return set(LimitKind.CPU_IDLE, yes ? "yes" : "no");
    }

    /** CPU time that may be saved up and used beyond the quota of a period; at most the quota. */
    public Builder cpuBurst(Duration time) {
      return set(LimitKind.CPU_BURST, TimeUnit.MICROSECONDS.convert(time) + "us");
    }

    /** The least clock that the scheduler asks for, in percent of the greatest, 0 to 100. */
    public Builder cpuUclampMin(double percent) {
      return set(LimitKind.CPU_UCLAMP_MIN, percent(percent));
    }

    /** The greatest clock that the scheduler asks for, in percent of the greatest, 0 to 100. */
    public Builder cpuUclampMax(double percent) {
      return set(LimitKind.CPU_UCLAMP_MAX, percent(percent));
    }

    private static String percent(double percent) {
      if (!(percent >= 0 && percent <= 100)) {
        throw new IllegalArgumentException(percent + " % is not from 0 to 100");
      }
      return BigDecimal.valueOf(percent).setScale(2, RoundingMode.HALF_UP).toPlainString();
    }

    /**
     * v1: how much of each period real-time tasks may run, in microseconds.
     *
     * @param runtime at most the period; below 0 for as much as there is
     * @param period 1 to 60000000
     */
    public Builder cpuRealtime(long runtime, long period) {
      return set(LimitKind.CPU_REALTIME, (runtime < 0 ? "max" : runtime) + "/" + period);
    }

    /** v1: the period of real-time tasks in microseconds; their runtime stays what it is. */
    public Builder cpuRealtimePeriod(long period) {
      LimitSyntax.realtime("0/" + period);
      LimitValue value = new LimitValue.Bandwidth(LimitValue.Bandwidth.SAME_QUOTA, period);
      return put(LimitKind.CPU_REALTIME, value, value.toString());
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
     * Share of the block devices against siblings, 1 to 10000; 100 is usual. It counts on devices
     * that are scheduled by weights: by bfq, which takes at most 1000, or by the kernel's io.cost.
     */
    public Builder ioWeight(long weight) {
      return put(KeyedSyntax.ioWeight(Long.toString(weight)));
    }

    /**
     * As above, of one block device.
     *
     * @param device a path such as {@code /dev/sda}, looked up now, or a number such as {@code 8:0}
     */
    public Builder ioWeight(String device, long weight) {
      return put(KeyedSyntax.ioWeight(device + "=" + weight));
    }

    /** As {@link #ioWeight(long)}, in v1's unit, 10 to 1000, which bfq takes as it is. */
    public Builder blkioWeight(long weight) {
      return blkioWeight("", weight, weight + " (blkio)");
    }

    /** As {@link #ioWeight(String, long)}, in v1's unit. */
    public Builder blkioWeight(String device, long weight) {
      return blkioWeight(BlockDevice.number(device), weight, device + "=" + weight + " (blkio)");
    }

    private Builder blkioWeight(String device, long weight, String text) {
      if (weight < IoWeight.LEAST_BLKIO || weight > IoWeight.MOST_BLKIO) {
        throw new IllegalArgumentException(weight + " is no weight from 10 to 1000");
      }
      LimitValue value = new LimitValue.BlkioWeight(weight);
      return put(new Request(LimitKind.IO_WEIGHT, device, value, Optional.of(text)));
    }

    /**
     * Bytes or operations a second on one disk; what was said of its other rates stays.
     *
     * @param device as of {@link #ioWeight(String, long)}; a whole disk, no partition
     * @param perSecond a size in bytes such as {@code 1M}, or operations; {@code max} for no limit
     */
    public Builder ioMax(String device, IoRate rate, String perSecond) {
      return put(KeyedSyntax.ioMax(device + ":" + rate.key() + "=" + perSecond));
    }

    /** v2: slows others down while operations on the disk take longer than this, up to a minute. */
    public Builder ioLatency(String device, Duration target) {
      return put(KeyedSyntax.ioLatency(device + "=" + target.toNanos() / 1000 + "us"));
    }

    /**
     * Bytes in huge pages of one size, whole pages of which count; 0 for none.
     *
     * @param pageSize such as {@code 2M}
     */
    public Builder hugetlb(String pageSize, long bytes) {
      if (bytes < 0) {
        throw new IllegalArgumentException(
            bytes + " bytes of huge pages cannot be: give 0 or more");
      }
      return put(KeyedSyntax.hugetlb(pageSize, LimitValue.count(bytes), pageSize + "=" + bytes));
    }

    /** As above, such as {@code 64M} or {@code max}. */
    public Builder hugetlb(String pageSize, String limit) {
      return put(KeyedSyntax.hugetlb(pageSize + "=" + limit));
    }

    /**
     * What may be open and made of an RDMA device, as {@code hca_handle=2,hca_object=2000} or one
     * of these; {@code max} for no limit.
     */
    public Builder rdma(String device, String limits) {
      return put(KeyedSyntax.rdma(device + ":" + limits));
    }

    /** How much of a resource of the machine's, such as {@code sev}; 0 for none. */
    public Builder misc(String resource, long amount) {
      return put(KeyedSyntax.misc(resource + "=" + amount));
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
      oomGroup = Optional.of(yes);
      return this;
    }

    /**
     * Sets {@code kind} as the option of that name would; device rules are apart by commas. Of what
     * there are several the key comes first: {@code eth0=5}, {@code /dev/sda=200} (io-weight),
     * {@code 8:0:rbps=1M,wiops=100} (io-max), {@code 8:0=10ms} (io-latency), {@code 2M=64M}
     * (hugetlb), {@code mlx5_0:hca_handle=2} (rdma), {@code sev=10} (misc).
     */
    public Builder set(LimitKind kind, String text) {
      return switch (kind) {
        case MEMORY, MEMORY_HIGH, MEMORY_LOW, MEMORY_MIN, SWAP, SWAP_HIGH, ZSWAP, MEMORY_KERNEL ->
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
        case CPU_TIME ->
            throw new IllegalArgumentException(
                "cpu-time is a budget of a run, no limit of a group");
        case OOM_GROUP -> oomGroup(LimitSyntax.truth(text).equals(LimitValue.count(1)));
        case CPU_BURST -> put(kind, LimitSyntax.micros(text), text);
        case CPU_UCLAMP_MIN, CPU_UCLAMP_MAX -> put(kind, LimitSyntax.percent(text), text);
        case CPU_REALTIME -> put(kind, LimitSyntax.realtime(text), text);
        case CPUSET_CPUS, CPUSET_MEMS -> put(kind, LimitSyntax.ids(text), text);
        case CPUSET_PARTITION -> put(kind, LimitSyntax.partition(text), text);
        case IO_WEIGHT -> put(KeyedSyntax.ioWeight(text));
        case IO_MAX -> put(KeyedSyntax.ioMax(text));
        case IO_LATENCY -> put(KeyedSyntax.ioLatency(text));
        case HUGETLB -> put(KeyedSyntax.hugetlb(text));
        case RDMA -> put(KeyedSyntax.rdma(text));
        case MISC -> put(KeyedSyntax.misc(text));
      };
    }

    /**
     * Any file of the kernel's, such as {@code memory.swappiness=10}; what is set so is set after
     * everything else.
     *
     * @throws IllegalArgumentException also for files that do not limit but act: on who is a
     *     member, on whether members run, on what the group is; Holdfast itself uses those
     */
    public Builder raw(String assignment) {
      int equals = assignment.indexOf('=');
      String file = equals < 0 ? "" : assignment.substring(0, equals);
      RawFile.check(file);
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

    /**
     * A later one of the same kind and key takes the place of an earlier one; of those with several
     * values, each value for itself.
     */
    private Builder put(Request request) {
      Request merged = request;
      for (Request former : requests) {
        if (former.isFor(request.kind(), request.key())) {
          merged = former.and(request);
        }
      }
      requests.removeIf(other -> other.isFor(request.kind(), request.key()));
      requests.add(merged);
      return this;
    }
  }
}
