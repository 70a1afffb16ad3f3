package dev.holdfast.cgroup;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The controllers of one group, each from the hierarchy that has it. Thread-safe. */
final class Controllers {
  /** In the order in which their limits are set: memory, whose limit may kill, towards the end. */
  private final List<Controller> all = new ArrayList<>();

  private final List<Branch> branches;
  private volatile boolean looked;

  Controllers(List<Branch> branches) {
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
      all.add(new IoV2(unified.directory()));
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
    if (unified != null && !found.contains("memory")) {
      all.add(new MemoryOomGroup(unified.directory()));
      all.add(new MemoryV2(unified.directory()));
    }
    all.add(new Raw(branches));
  }

  void apply(Limits limits, LimitRows rows, Map<String, Absence> absences) throws IOException {
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
      if (branch.holds(controller)) {
        return new Absence(
            "v1's " + controller + " controller has nothing like " + request.kind().optionName(),
            "leave " + request.kind().optionName() + " out, or boot with cgroup v2");
      }
    }
    return new Absence(
        "the group has no " + controller + " controller",
        "enable it in the group above, or have it delegated");
  }

  Usage usage() throws IOException {
    Figures figures = new Figures(looked);
    looked = true;
    for (Controller controller : all) {
      controller.usage(figures);
    }
    return figures.usage();
  }
}
