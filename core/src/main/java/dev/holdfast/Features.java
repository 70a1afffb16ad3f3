package dev.holdfast;

import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.Place;
import dev.holdfast.linux.KernelFeatures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the kernel has, found by its files or by the call, never by its version. */
final class Features {
  private Features() {}

  static Map<String, Boolean> probe(Delegation delegation) {
    List<Path> unified =
        delegation.places().stream()
            .filter(place -> place.hierarchy().unified())
            .map(Place::base)
            .toList();
    Map<String, Boolean> features = new LinkedHashMap<>();
    features.put("cgroup.kill", inSomeGroup(unified, "cgroup.kill"));
    features.put("clone-into-cgroup", !unified.isEmpty() && KernelFeatures.cloneIntoCgroup());
    features.put("pidfd", KernelFeatures.pidfd());
    features.put("freeze", inSomeGroup(unified, "cgroup.freeze") || isFreezerV1(delegation));
    features.put("memory.peak", inSomeGroup(unified, "memory.peak") || isMemoryV1(delegation));
    features.put(
        "psi", Files.isReadable(Path.of("/proc/pressure/cpu")) && readable("/proc/pressure/cpu"));
    features.put("user-namespaces", userNamespaces());
    features.put("landlock", KernelFeatures.landlock());
    features.put("seccomp", KernelFeatures.seccomp());
    return features;
  }

  /** The root group lacks most files, so its children are looked at too, where it has some. */
  private static boolean inSomeGroup(List<Path> bases, String file) {
    for (Path base : bases) {
      if (Files.exists(base.resolve(file))) {
        return true;
      }
      try (var children = Files.newDirectoryStream(base, Files::isDirectory)) {
        for (Path child : children) {
          if (Files.exists(child.resolve(file))) {
            return true;
          }
        }
      } catch (IOException unreadable) {
        // then nothing is known of it
      }
    }
    return false;
  }

  private static boolean isFreezerV1(Delegation delegation) {
    return holds(delegation, "freezer");
  }

  /** v1 has had memory.max_usage_in_bytes from the beginning. */
  private static boolean isMemoryV1(Delegation delegation) {
    return holds(delegation, "memory");
  }

  private static boolean holds(Delegation delegation, String controller) {
    return delegation.places().stream()
        .anyMatch(place ->
            !place.hierarchy().unified() && place.hierarchy().controllers().contains(controller));
  }

  /**
   * The two switches that distributions know; whether a policy refuses them all the same shows only
   * in use.
   */
  private static boolean userNamespaces() {
    return Files.exists(Path.of("/proc/self/ns/user"))
        && !"0".equals(text("/proc/sys/user/max_user_namespaces"))
        && !"0".equals(text("/proc/sys/kernel/unprivileged_userns_clone"));
  }

  private static boolean readable(String file) {
    return !text(file).isEmpty();
  }

  private static String text(String file) {
    try {
      return Files.readString(Path.of(file)).strip();
    } catch (IOException absent) {
      return "";
    }
  }
}
