package dev.holdfast.cli;

import dev.holdfast.Host;
import dev.holdfast.Noise;
import dev.holdfast.cgroup.Absence;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What this machine can do, for people: one line a finding. */
final class DoctorText {
  private DoctorText() {}

  static List<String> findings(Host host) {
    List<String> lines = new ArrayList<>();
    lines.add("mechanism   " + host.mechanism().text());
    if (!host.available()) {
      lines.add("cgroups     not available: limits cannot be enforced");
    }
    if (host.mechanism().caveat().isPresent()) {
      lines.add("caveat      " + host.mechanism().caveat().get());
    }
    if (host.reason().isPresent()) {
      lines.add("reason      " + host.reason().get());
    }
    if (host.remedy().isPresent()) {
      lines.add("remedy      " + host.remedy().get());
    }
    lines.add("kernel      " + host.kernel());
    lines.add("cgroup      " + host.version().text() + ", delegation: " + host.delegation());
    if (host.why().isPresent()) {
      lines.add("because     " + host.why().get());
    }
    boolean isScopeToCome = host.delegation().equals("systemd");
    for (Host.Tree tree : host.hierarchies()) {
      lines.add(
          "hierarchy   "
              + (tree.unified() ? "v2 " : "v1 ")
              + tree.mount()
              + (tree.writable()
                  ? ", jobs go to "
                  : isScopeToCome ? ", jobs go to a scope, not to " : ", not writable: ")
              + tree.root()
              + (tree.controllers().isEmpty()
                  ? ", no controllers"
                  : ", " + String.join(" ", tree.controllers())));
    }
    for (Map.Entry<String, Absence> missing : host.absences().entrySet()) {
      Absence absence = missing.getValue();
      lines.add(
          "controller  no "
              + missing.getKey()
              + ": "
              + absence.reason()
              + " ("
              + absence.remedy()
              + ")");
    }
    for (Noise noise : host.noise()) {
      lines.add("figures     " + noise.reason() + " (" + noise.remedy() + ")");
    }
    for (Map.Entry<String, Optional<Boolean>> feature : host.features().entrySet()) {
      lines.add("feature     " + feature.getKey() + ": " + known(feature.getValue()));
    }
    return lines;
  }

  private static String known(Optional<Boolean> feature) {
    if (feature.isEmpty()) {
      return "not known before a group is made";
    }
    return feature.get() ? "yes" : "no";
  }
}
