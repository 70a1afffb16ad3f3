package dev.holdfast.cgroup;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The controllers of one group, each from the hierarchy that has it. Thread-safe. */
final class Controllers {
  private static final Map<String, Set<LimitKind>> KINDS =
      Map.of(
          "memory",
          EnumSet.of(
              LimitKind.MEMORY,
              LimitKind.MEMORY_HIGH,
              LimitKind.MEMORY_LOW,
              LimitKind.MEMORY_MIN,
              LimitKind.SWAP),
          "cpu",
          EnumSet.of(LimitKind.CPUS, LimitKind.CPU_WEIGHT),
          "pids",
          EnumSet.of(LimitKind.PIDS));

  private final @Nullable Controller memory;
  private final @Nullable Controller cpu;
  private final @Nullable Controller pids;
  private final List<Controller> counting = new ArrayList<>();

  Controllers(List<Branch> branches) {
    Branch unified = null;
    Controller memoryFound = null;
    Controller cpuFound = null;
    Controller pidsFound = null;
    for (Branch branch : branches) {
      if (branch.unified()) {
        unified = branch;
      }
      if (branch.holds("memory")) {
        memoryFound = new MemoryV1(branch);
      }
      if (branch.holds("cpu")) {
        cpuFound = new CpuV1(branch.directory());
      }
      if (branch.holds("pids")) {
        pidsFound = new Pids(branch);
      }
      if (branch.holds("cpuacct")) {
        counting.add(new CpuacctV1(branch.directory()));
      }
    }
    if (unified != null) {
      CpuV2 cpuV2 = new CpuV2(unified.directory());
      // First: a v1 controller beside it knows the throttling, and adds it.
      counting.add(cpuV2);
      memoryFound = memoryFound == null ? new MemoryV2(unified.directory()) : memoryFound;
      cpuFound = cpuFound == null ? cpuV2 : cpuFound;
      pidsFound = pidsFound == null ? new Pids(unified) : pidsFound;
      counting.add(new IoV2(unified.directory()));
      counting.add(new Pressure(unified.directory()));
    }
    memory = memoryFound;
    cpu = cpuFound;
    pids = pidsFound;
    for (Controller found : new @Nullable Controller[] {memory, cpu, pids}) {
      if (found != null && !counting.contains(found)) {
        counting.add(found);
      }
    }
  }

  void apply(Limits limits, LimitRows rows, Map<String, Absence> absences) throws IOException {
    apply("pids", pids, limits, rows, absences);
    apply("cpu", cpu, limits, rows, absences);
    apply("memory", memory, limits, rows, absences);
  }

  private static void apply(
      String name,
      @Nullable Controller controller,
      Limits limits,
      LimitRows rows,
      Map<String, Absence> absences)
      throws IOException {
    if (controller != null && controller.isPresent()) {
      controller.apply(limits, rows);
      return;
    }
    for (LimitKind kind : KINDS.getOrDefault(name, Set.of())) {
      if (limits.get(kind).isPresent()) {
        Absence absence =
            absences.getOrDefault(
                name,
                new Absence(
                    "the group has no " + name + " controller",
                    "enable it in the group above, or have it delegated"));
        rows.refused(kind, absence.reason(), absence.remedy(), null);
      }
    }
  }

  Usage usage() throws IOException {
    Figures figures = new Figures();
    for (Controller controller : counting) {
      controller.usage(figures);
    }
    return figures.usage();
  }
}
