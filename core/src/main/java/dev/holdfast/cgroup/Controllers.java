package dev.holdfast.cgroup;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The controllers of one group, each from the hierarchy that has it. Thread-safe. */
final class Controllers {
  private static final List<String> RARE = List.of("hugetlb", "rdma", "misc");

  /** In the order in which their limits are set: memory, whose limit may kill, towards the end. */
  private final List<Controller> all = new ArrayList<>();

  private final List<Branch> branches;
  private volatile @Nullable List<SnapshotFiles> snapshot;

  /** Of a group without other controllers than the usual ones. */
  Controllers(List<Branch> branches) {
    this(branches, Cgroup.USUAL);
  }

  /**
   * Of a group.
   *
   * @param used the controllers that it is to have; those beside the usual ones take no time where
   *     they are not used
   */
  Controllers(List<Branch> branches, Set<String> used) {
    this.branches = branches;
    Set<String> found = new HashSet<>();
    Branch unified = null;
    for (Branch branch : branches) {
      if (branch.unified()) {
        unified = branch;
      } else {
        found.addAll(branch.controllers());
      }
    }
    if (unified != null) {
      // First: a v1 controller beside it knows the throttling, and adds it.
      all.add(new CpuV2(unified.directory(), !found.contains("cpu")));
      all.add(new IoV2(unified.directory(), !found.contains("blkio"), BlockDevice.SYS));
      all.add(new Pressure(unified.directory()));
    }
    for (Branch branch : branches) {
      if (branch.holds("pids") || (branch == unified && !found.contains("pids"))) {
        all.add(new Pids(branch));
      }
    }
    for (Branch branch : branches) {
      if (branch.holds("cpu")) {
        all.add(new CpuV1(branch.directory()));
      }
      if (branch.holds("cpuacct")) {
        all.add(new CpuacctV1(branch.directory()));
      }
      if (branch.holds("memory")) {
        all.add(new MemoryV1(branch));
      }
      if (branch.holds("blkio")) {
        all.add(new BlkioV1(branch.directory(), BlockDevice.SYS));
      }
      if (branch.holds("cpuset")) {
        all.add(new Cpuset(branch.directory(), false));
      }
      if (branch.holds("devices")) {
        all.add(new DevicesV1(branch));
      }
      if (branch.holds("net_cls")) {
        all.add(new NetClsV1(branch.directory()));
      }
      if (branch.holds("net_prio")) {
        all.add(new NetPrioV1(branch.directory()));
      }
    }
    if (unified != null && !found.contains("cpuset")) {
      all.add(new Cpuset(unified.directory(), true));
    }
    if (unified != null) {
      // Programs on a v2 group work without any controller, unless one of v1 does the same.
      if (!found.contains("devices")) {
        all.add(new DevicesV2(unified.directory()));
      }
      all.add(
          new SocketsV2(
              unified.directory(), !found.contains("net_cls"), !found.contains("net_prio")));
    }
    for (Branch branch : branches) {
      addRare(branch, used, found);
    }
    if (unified != null && !found.contains("memory")) {
      all.add(new MemoryOomGroup(unified.directory()));
      all.add(new MemoryV2(unified.directory()));
    }
    all.add(new Raw(branches));
  }

  private void addRare(Branch branch, Set<String> used, Set<String> legacy) {
    for (String name : RARE) {
      if (branch.holds(name)
          || (branch.unified() && used.contains(name) && !legacy.contains(name))) {
        switch (name) {
          case "hugetlb" ->
              all.add(
                  new Hugetlb(
                      branch.directory(), branch.unified(), HugePages.sizes(HugePages.SIZES)));
          case "rdma" -> all.add(new Rdma(branch.directory()));
          default -> all.add(new Misc(branch.directory()));
        }
      }
    }
  }

  void apply(Limits limits, LimitRows rows, Map<String, Absence> absences) throws IOException {
    snapshot = null; // a setting can show files or hide them, as cgroup.pressure does
    Set<String> wanted = limits.controllers();
    for (Controller controller : all) {
      if (controller.serves(wanted) && controller.isPresent()) {
        controller.apply(limits, rows);
      }
    }
    for (Limits.Request request : limits.requests()) {
      if (!rows.has(request)) {
        Absence absence = absence(request, absences);
        rows.refused(request, absence.reason(), absence.remedy(), null);
      }
    }
  }

  private Absence absence(Limits.Request request, Map<String, Absence> absences) {
    String controller = request.controller();
    Absence known = absences.get(controller);
    if (known != null) {
      return known;
    }
    for (Branch branch : branches) {
      if (branch.holds(KernelControllers.legacyName(controller))) {
        return new Absence(
            "v1's " + controller + " controller has nothing like " + request.kind().optionName(),
            "leave " + request.kind().optionName() + " out, or boot with cgroup v2");
      }
    }
    return new Absence(
        "the group has no " + controller + " controller",
        "enable it in the group above, or have it delegated");
  }

  /** That of {@link #usage} alone, which needs no look at nested groups. */
  Optional<Duration> cpuTime() throws IOException {
    Figures figures = new Figures(List.of());
    for (Controller controller : all) {
      if (controller.countsCpuTime()) {
        controller.usage(figures);
      }
    }
    return figures.cpuTotal;
  }

  Usage usage() throws IOException {
    List<SnapshotFiles> files = snapshot;
    if (files == null) {
      snapshot = files = SnapshotFiles.of(branches);
    }
    for (SnapshotFiles each : files) {
      each.begin();
    }
    Figures figures = new Figures(files);
    for (Controller controller : all) {
      controller.usage(figures);
    }
    return figures.usage();
  }
}
