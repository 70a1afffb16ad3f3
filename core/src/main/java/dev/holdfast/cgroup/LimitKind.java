package dev.holdfast.cgroup;

import java.util.Locale;

/**
 * What can be limited, named as the command's options are, with the kernel's controller that does
 * it by its name on v2; {@code io} is {@code blkio} on v1.
 */
public enum LimitKind {
  MEMORY("memory"),
  MEMORY_HIGH("memory"),
  MEMORY_LOW("memory"),
  MEMORY_MIN("memory"),
  SWAP("memory"),
  SWAP_HIGH("memory"),
  ZSWAP("memory"),
  /** v1 alone. */
  SWAPPINESS("memory"),
  /** v1 alone: tasks wait for memory instead of being killed. */
  OOM_KILL_DISABLE("memory"),
  /** Tells only of one that does not hold: see {@link Limits#oomGroup}. */
  OOM_GROUP("memory"),
  /** v1 alone, and gone since Linux 5.16: what the kernel itself uses for the group. */
  MEMORY_KERNEL("memory"),
  CPUS("cpu"),
  /** A budget of a whole run, which no file of the kernel's holds; no limit of a group. */
  CPU_TIME("cpu"),
  CPU_WEIGHT("cpu"),
  CPU_IDLE("cpu"),
  CPU_BURST("cpu"),
  CPU_UCLAMP_MIN("cpu"),
  CPU_UCLAMP_MAX("cpu"),
  /** v1 alone, and in kernels with real-time group scheduling. */
  CPU_REALTIME("cpu"),
  CPUSET_CPUS("cpuset"),
  CPUSET_MEMS("cpuset"),
  CPUSET_PARTITION("cpuset"),
  PIDS("pids"),
  /** By block device, or without one for all others. */
  IO_WEIGHT("io"),
  /** By block device. */
  IO_MAX("io"),
  /** By block device. */
  IO_LATENCY("io"),
  /** By size of page. */
  HUGETLB("hugetlb"),
  /** By RDMA device. */
  RDMA("rdma"),
  /** By resource. */
  MISC("misc"),
  DEVICE("devices"),
  /** The class of packets: v1's net_cls, a socket's mark on v2. */
  NET_CLASS("net_cls"),
  /** By network interface on v1's net_prio; without one a socket's priority on v2. */
  NET_PRIORITY("net_prio"),
  /** By file: any other file of the kernel's, set last. */
  SET("");

  private final String controller;

  LimitKind(String controller) {
    this.controller = controller;
  }

  /** The option without its dashes, such as {@code memory-high}. */
  public String optionName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The kernel's controller, as v2 names it; empty for {@link #SET}, where the file tells it. */
  public String controller() {
    return controller;
  }
}
