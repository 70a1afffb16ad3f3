package dev.holdfast.cgroup;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The controllers of the kernel, from {@code /proc/cgroups} (cgroups(7)):
 *
 * <pre>
 * file = "#subsys_name" … "\n" { name TAB hierarchy TAB groups TAB enabled "\n" }
 * </pre>
 *
 * hierarchy is 0 on v2 and where none is mounted; enabled is 0 after {@code cgroup_disable=name} on
 * the kernel's command line. It only explains an absence, so what cannot be read is left out.
 */
final class KernelControllers {
  private record State(boolean enabled, boolean legacy) {}

  private final Map<String, State> states = new HashMap<>();

  private KernelControllers() {}

  static KernelControllers read(Path proc) {
    KernelControllers result = new KernelControllers();
    String text = GroupFile.text(proc.resolve("cgroups")).orElse("");
    text.lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.split("\\s+", -1))
        .filter(fields -> fields.length == 4)
        .forEach(fields ->
            result.states.put(
                fields[0], new State(!fields[3].equals("0"), !fields[1].equals("0"))));
    return result;
  }

  /** As v1 and {@code /proc/cgroups} call the controller that is {@code name} on v2. */
  static String legacyName(String name) {
    return name.equals("io") ? "blkio" : name;
  }

  /** Why {@code controller} is in no hierarchy that is mounted here. */
  Absence absence(String controller, Optional<Hierarchy> unified) {
    String name = legacyName(controller);
    State state = states.get(name);
    if (state != null && !state.enabled()) {
      return new Absence(
          "the kernel's "
              + controller
              + " controller is switched off (cgroup_disable="
              + name
              + ")",
          "remove cgroup_disable=" + name + " from the kernel's command line");
    }
    if (state != null && state.legacy()) {
      return new Absence(
          "the " + controller + " controller is in a v1 hierarchy that is not mounted here",
          "mount it: mount -t cgroup -o " + name + " cgroup DIRECTORY");
    }
    // From 6.15 on the file may leave out controllers that v1 does not have: below the real root
    // it is those above who may have kept the controller back.
    if (unified.isPresent() && (state != null || !isRealRoot(unified.get()))) {
      Path file = unified.get().mount().resolve("cgroup.controllers");
      return new Absence(
          offersOnly(file, unified.get().controllers()),
          "let the machine or container around us enable "
              + controller
              + " in cgroup.subtree_control above it");
    }
    if (state != null) {
      return new Absence(
          "no hierarchy with the " + controller + " controller is mounted here",
          "mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
    }
    return new Absence(
        "this kernel has no " + controller + " controller", "use a kernel that has it");
  }

  static String offersOnly(Path file, Set<String> offered) {
    return file
        + (offered.isEmpty()
            ? " offers no controller"
            : " offers only " + String.join(" ", new TreeSet<>(offered)));
  }

  private static boolean isRealRoot(Hierarchy unified) {
    // K: cgroup.type is in every group but the root; a namespace's root has it.
    return unified.root().equals("/") && !Files.exists(unified.mount().resolve("cgroup.type"));
  }
}
