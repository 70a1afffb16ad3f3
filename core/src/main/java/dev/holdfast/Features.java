package dev.holdfast;

import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.Place;
import dev.holdfast.linux.KernelFeatures;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the kernel has, found by its files or by the call, never by its version. */
final class Features {
  /** A core file of every group but the root. */
  private static final String EVERY_GROUP = "cgroup.type";

  private Features() {}

  static Map<String, Optional<Boolean>> probe(Delegation delegation) {
    List<Path> unified =
        delegation.places().stream()
            .filter(place -> place.hierarchy().unified())
            .map(Place::base)
            .toList();
    Map<String, Optional<Boolean>> features = new LinkedHashMap<>();
    features.put("cgroup.kill", inSomeGroup(unified, "cgroup.kill", EVERY_GROUP));
    features.put(
        "clone-into-cgroup", Optional.of(!unified.isEmpty() && KernelFeatures.cloneIntoCgroup()));
    features.put("pidfd", Optional.of(KernelFeatures.pidfd()));
    features.put(
        "freeze",
        isFreezerV1(delegation)
            ? Optional.of(true)
            : inSomeGroup(unified, "cgroup.freeze", EVERY_GROUP));
    features.put(
        "memory.peak",
        isMemoryV1(delegation)
            ? Optional.of(true)
            : inSomeGroup(unified, "memory.peak", "memory.current"));
    features.put(
        "psi",
        Optional.of(
            Files.isReadable(Path.of("/proc/pressure/cpu")) && readable("/proc/pressure/cpu")));
    features.put("user-namespaces", Optional.of(userNamespaces()));
    features.put("landlock", Optional.of(KernelFeatures.landlock()));
    features.put("seccomp", Optional.of(KernelFeatures.seccomp()));
    return features;
  }

  /**
   * Whether groups have {@code file}. The root group lacks most files, so its children are looked
   * at too; unknown where no group is to be seen that has {@code witness}, and so would have this
   * one.
   */
  private static Optional<Boolean> inSomeGroup(List<Path> bases, String file, String witness) {
    boolean witnessed = false;
    for (Path base : bases) {
      List<Path> groups = new ArrayList<>();
      groups.add(base);
      try (DirectoryStream<Path> children = Files.newDirectoryStream(base, Files::isDirectory)) {
        children.forEach(groups::add);
      } catch (IOException unreadable) {
        // then nothing is known of them
      }
      for (Path group : groups) {
        if (Files.exists(group.resolve(file))) {
          return Optional.of(true);
        }
        witnessed |= Files.exists(group.resolve(witness));
      }
    }
    return witnessed ? Optional.of(false) : Optional.empty();
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
