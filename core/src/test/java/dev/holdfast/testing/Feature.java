package dev.holdfast.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What a place may lack, as the kernel itself tells it: read from {@code /proc} and {@code /sys},
 * and not by the code under test.
 */
public enum Feature {
  ROOT("root", () -> uid() == 0),
  UNPRIVILEGED("an ordinary user", () -> uid() != 0),
  /** Of a number below /proc/sys a reader of bytes gets the first digit alone. */
  USER_NAMESPACES(
      "user namespaces for ordinary users",
      () ->
          Files.exists(Path.of("/proc/self/ns/user"))
              && !read(Path.of("/proc/sys/user/max_user_namespaces")).startsWith("0")
              && (!Files.exists(Path.of("/proc/sys/kernel/unprivileged_userns_clone"))
                  || read(Path.of("/proc/sys/kernel/unprivileged_userns_clone")).startsWith("1"))),
  PID_NAMESPACES(
      "pid namespaces for us",
      () ->
          Files.exists(Path.of("/proc/self/ns/pid"))
              && (ROOT.isPresent() || USER_NAMESPACES.isPresent())),
  CGROUP_V2("a cgroup2 mount", () -> !mounts("cgroup2").isEmpty()),
  CGROUP_V1("a v1 controller", () -> mounts("cgroup").stream().anyMatch(Mount::hasController)),
  PURE_V2("cgroup2 and no v1 controller", () -> CGROUP_V2.isPresent() && !CGROUP_V1.isPresent()),
  PURE_V1("v1 controllers and no cgroup2", () -> CGROUP_V1.isPresent() && !CGROUP_V2.isPresent()),
  HYBRID("v1 controllers beside cgroup2", () -> CGROUP_V1.isPresent() && CGROUP_V2.isPresent()),
  MEMORY("the memory controller", () -> controller("memory")),
  V1_MEMORY("the memory controller on v1", () -> controllerOnV1("memory")),
  V2_MEMORY("the memory controller on v2", () -> controllerOnV2("memory")),
  PEAK_RESET(
      "a peak of memory that can be reset: v2's memory controller, Linux 6.12",
      () -> V2_MEMORY.isPresent() && isLinux(6, 12)),
  NO_PEAK_RESET("no peak of memory that can be reset", () -> !PEAK_RESET.isPresent()),
  CPU("the cpu controller", () -> controller("cpu")),
  PIDS("the pids controller", () -> controller("pids")),
  CPUSET("the cpuset controller", () -> controller("cpuset")),
  TWO_CPUS("two processors", () -> Runtime.getRuntime().availableProcessors() > 1),
  /** A list, such as {@code 0-1}. */
  TWO_NODES(
      "two nodes of memory, 0 and 1",
      () ->
          readIfPresent(Path.of("/sys/devices/system/node/has_memory"))
              .matches("(?s)0(-|,1\\b).*")),
  IO("the io controller", () -> controller("io") || controller("blkio")),
  FREEZER("a freezer", () -> CGROUP_V2.isPresent() || controller("freezer")),
  /** The name of the function that asks the programs, if the kernel was built with it. */
  CGROUP_BPF(
      "programs on control groups",
      () -> read(Path.of("/proc/kallsyms")).contains(" __cgroup_bpf_check_dev_permission\n")),
  DEVICES_V1("the v1 devices controller", () -> controller("devices")),
  DEVICES(
      "a way to deny devices",
      () -> DEVICES_V1.isPresent() || (CGROUP_V2.isPresent() && CGROUP_BPF.isPresent())),
  MEMORY_V1("the v1 memory controller", () -> mountedV1("memory").isPresent()),
  MEMSW(
      "a v1 limit of memory and swap together",
      () -> mountedV1("memory", "memory.memsw.limit_in_bytes").isPresent()),
  REALTIME_GROUPS(
      "real-time tasks scheduled by groups",
      () -> mountedV1("cpu", "cpu.rt_runtime_us").isPresent()),
  FREE_PERF_EVENT(
      "a perf_event controller that is mounted nowhere",
      () -> read(Path.of("/proc/cgroups")).contains("\nperf_event\t0\t")),
  FREE_NET_PRIO(
      "a net_prio controller that is mounted nowhere",
      () -> read(Path.of("/proc/cgroups")).contains("\nnet_prio\t0\t")),
  NET(
      "a way to mark sockets",
      () ->
          controller("net_cls")
              || controller("net_prio")
              || (CGROUP_V2.isPresent() && CGROUP_BPF.isPresent())),
  NET_CLS("the v1 net_cls controller", () -> controllerOnV1("net_cls")),
  NET_PRIO("a net_prio controller", () -> read(Path.of("/proc/cgroups")).contains("\nnet_prio\t")),
  PRIO_QDISC("tc's bands by priority", () -> Files.exists(Path.of("/sys/module/sch_prio"))),
  CGROUP_FILTER(
      "tc's filter by the class of a group", () -> Files.exists(Path.of("/sys/module/cls_cgroup"))),
  NEXT_PID(
      "a way to choose the next process id",
      () -> Files.isWritable(Path.of("/proc/sys/kernel/ns_last_pid"))),
  ZRAM("a compressed device for swap", () -> Files.exists(Path.of("/sys/block/zram0"))),
  LOOP("devices over files", () -> Files.exists(Path.of("/dev/loop-control"))),
  IO_COST("io.cost", () -> onV2Root("io.cost.qos")),
  ZSWAP("compressed swap in memory", () -> Files.exists(Path.of("/sys/module/zswap"))),
  HUGETLB(
      "the hugetlb controller, and huge pages to reserve",
      () ->
          Files.exists(Path.of("/proc/sys/vm/nr_hugepages"))
              && mounts("cgroup2").stream()
                  .map(mount -> mount.point().resolve("cgroup.controllers"))
                  .anyMatch(file -> read(file).contains("hugetlb"))),
  PSI("pressure stall information", () -> Files.isReadable(Path.of("/proc/pressure/memory"))),
  SYSTEMD("a running systemd", () -> Files.isDirectory(Path.of("/run/systemd/system")));

  private final String meaning;
  private final BooleanSupplier test;

  Feature(String meaning, BooleanSupplier test) {
    this.meaning = meaning;
    this.test = test;
  }

  public boolean isPresent() {
    return test.getAsBoolean();
  }

  public String meaning() {
    return meaning;
  }

  /** {@code 36 35 0:30 / /sys/fs/cgroup/pids rw,relatime shared:9 - cgroup cgroup rw,pids}. */
  private record Mount(Path point, List<String> options) {

    static Mount parse(String line) {
      String[] sides = line.split(" - ", 2);
      String point = sides[0].split(" ")[4];
      return new Mount(Path.of(point), List.of(sides[1].split(" ", 3)[2].split(",")));
    }

    /** Not one of systemd's own hierarchies, whose only name is {@code name=systemd}. */
    boolean hasController() {
      return options.stream().noneMatch(option -> option.startsWith("name="));
    }
  }

  private static boolean controller(String name) {
    return controllerOnV1(name) || controllerOnV2(name);
  }

  private static boolean controllerOnV1(String name) {
    return mounts("cgroup").stream().anyMatch(mount -> mount.options().contains(name));
  }

  private static boolean controllerOnV2(String name) {
    return mounts("cgroup2").stream()
        .map(mount -> mount.point().resolve("cgroup.controllers"))
        .anyMatch(file -> List.of(read(file).strip().split(" ")).contains(name));
  }

  private static boolean onV2Root(String file) {
    return mounts("cgroup2").stream().anyMatch(mount -> Files.exists(mount.point().resolve(file)));
  }

  private static Optional<Path> mountedV1(String controller) {
    return mounts("cgroup").stream()
        .filter(mount -> mount.options().contains(controller))
        .map(Mount::point)
        .findFirst();
  }

  private static Optional<Path> mountedV1(String controller, String file) {
    return mountedV1(controller).filter(mount -> Files.exists(mount.resolve(file)));
  }

  private static List<Mount> mounts(String type) {
    return read(Path.of("/proc/self/mountinfo"))
        .lines()
        .filter(line -> line.contains(" - " + type + " "))
        .map(Mount::parse)
        .toList();
  }

  private static boolean isLinux(int major, int minor) {
    String[] numbers = read(Path.of("/proc/sys/kernel/osrelease")).split("[^0-9]", 3);
    int present = Integer.parseInt(numbers[0]);
    return present > major || (present == major && Integer.parseInt(numbers[1]) >= minor);
  }

  private static int uid() {
    try {
      return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String readIfPresent(Path file) {
    return Files.exists(file) ? read(file) : "";
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
