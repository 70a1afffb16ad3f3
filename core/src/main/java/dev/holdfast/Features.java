package dev.holdfast;

import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.cgroup.Hierarchy;
import dev.holdfast.linux.KernelFeatures;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
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

  /**
   * All of them, by name.
   *
   * @param host the control groups, empty if they could not be read: then what is theirs is unknown
   * @param pidNamespaces whether those can be made, as far as is seen
   */
  static Map<String, Optional<Boolean>> probe(Optional<CgroupHost> host, boolean pidNamespaces) {
    Map<String, Optional<Boolean>> features = new LinkedHashMap<>();
    features.put("cgroup.kill", host.flatMap(h -> inSomeGroup(h, "cgroup.kill", EVERY_GROUP)));
    features.put(
        "clone-into-cgroup",
        host.map(h -> h.unified().isPresent() && KernelFeatures.cloneIntoCgroup()));
    features.put("pidfd", Optional.of(KernelFeatures.pidfd()));
    features.put(
        "freeze",
        host.flatMap(h ->
            holds(h, "freezer")
                ? Optional.of(true)
                : inSomeGroup(h, "cgroup.freeze", EVERY_GROUP)));
    // v1 has had memory.max_usage_in_bytes from the beginning.
    features.put(
        "memory.peak",
        host.flatMap(h ->
            holds(h, "memory")
                ? Optional.of(true)
                : inSomeGroup(h, "memory.peak", "memory.current")));
    features.put(
        "psi",
        Optional.of(
            Files.isReadable(Path.of("/proc/pressure/cpu")) && readable("/proc/pressure/cpu")));
    features.put("user-namespaces", Optional.of(userNamespaces()));
    features.put("pid-namespace", Optional.of(pidNamespaces));
    features.put("landlock", Optional.of(KernelFeatures.landlock()));
    features.put("seccomp", Optional.of(KernelFeatures.seccomp()));
    return features;
  }

  /**
   * Whether groups of v2 have {@code file}: none has where there is no v2. The root group lacks
   * most files, so its children are looked at too; unknown where no group is to be seen that has
   * {@code witness}, and so would have this one.
   */
  private static Optional<Boolean> inSomeGroup(CgroupHost host, String file, String witness) {
    if (host.unified().isEmpty()) {
      return Optional.of(false);
    }
    Hierarchy unified = host.unified().get();
    boolean witnessed = false;
    for (Path group : groups(unified.own().orElse(unified.mount()))) {
      if (Files.exists(group.resolve(file))) {
        return Optional.of(true);
      }
      witnessed |= Files.exists(group.resolve(witness));
    }
    return witnessed ? Optional.of(false) : Optional.empty();
  }

  private static List<Path> groups(Path base) {
    List<Path> groups = new ArrayList<>();
    groups.add(base);
    try (DirectoryStream<Path> children = Files.newDirectoryStream(base, Files::isDirectory)) {
      children.forEach(groups::add);
    } catch (IOException | DirectoryIteratorException unreadable) {
      // then nothing is known of the others
    }
    return groups;
  }

  private static boolean holds(CgroupHost host, String controller) {
    return host.hierarchies().stream()
        .anyMatch(
            hierarchy -> !hierarchy.unified() && hierarchy.controllers().contains(controller));
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
