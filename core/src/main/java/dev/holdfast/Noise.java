package dev.holdfast;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Something of this machine that makes the figures of one run, such as its CPU time, differ from
 * those of the next. It breaks no limit. Immutable.
 *
 * @param reason what it is, and what it does to figures
 * @param remedy what to do where figures are to be compared
 */
public record Noise(String reason, String remedy) {

  /** What there is of it on this machine: nothing is said of what cannot be read. */
  static List<Noise> find() {
    return find(Path.of("/"));
  }

  /** As {@link #find()}, below another root. */
  static List<Noise> find(Path root) {
    List<Noise> found = new ArrayList<>();
    sharedCores(root).ifPresent(found::add);
    governor(root).ifPresent(found::add);
    turbo(root).ifPresent(found::add);
    addresses(root).ifPresent(found::add);
    swap(root).ifPresent(found::add);
    return List.copyOf(found);
  }

  private static Optional<Noise> sharedCores(Path root) {
    return text(root, "sys/devices/system/cpu/smt/active")
        .filter(active -> active.equals("1"))
        .map(active ->
            new Noise(
                "two processors are one core (SMT): each is slower while the other works",
                "give jobs whole cores with --cpuset-cpus, see"
                    + " /sys/devices/system/cpu/cpu*/topology/thread_siblings_list; or write off to"
                    + " /sys/devices/system/cpu/smt/control"));
  }

  /** Processors whose frequency is set together have one policy. */
  private static Optional<Noise> governor(Path root) {
    TreeSet<String> governors = new TreeSet<>();
    Path frequencies = root.resolve("sys/devices/system/cpu/cpufreq");
    try (DirectoryStream<Path> policies = Files.newDirectoryStream(frequencies, "policy*")) {
      for (Path policy : policies) {
        text(policy, "scaling_governor")
            .filter(governor -> followsLoad(policy, governor))
            .ifPresent(governors::add);
      }
    } catch (IOException | DirectoryIteratorException none) {
      return Optional.empty(); // whoever sets the frequency, it is not this kernel
    }
    return governors.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Noise(
                "the frequency of processors follows their load (governor "
                    + String.join(", ", governors)
                    + ")",
                "write performance to"
                    + " /sys/devices/system/cpu/cpufreq/policy*/scaling_governor"));
  }

  /**
   * Two drivers that set it themselves call {@code powersave} what others call the least there is.
   */
  private static boolean followsLoad(Path policy, String governor) {
    return switch (governor) {
      case "performance", "userspace" -> false;
      case "powersave" ->
          text(policy, "scaling_driver")
              .filter(Set.of("intel_pstate", "amd-pstate-epp")::contains)
              .isPresent();
      default -> true;
    };
  }

  private static Optional<Noise> turbo(Path root) {
    String reason = "processors are faster while few of them work, and until they are warm (turbo)";
    if (text(root, "sys/devices/system/cpu/intel_pstate/no_turbo").equals(Optional.of("0"))) {
      return Optional.of(
          new Noise(reason, "write 1 to /sys/devices/system/cpu/intel_pstate/no_turbo"));
    }
    if (text(root, "sys/devices/system/cpu/cpufreq/boost").equals(Optional.of("1"))) {
      return Optional.of(new Noise(reason, "write 0 to /sys/devices/system/cpu/cpufreq/boost"));
    }
    return Optional.empty();
  }

  private static Optional<Noise> addresses(Path root) {
    return text(root, "proc/sys/kernel/randomize_va_space")
        .filter(mode -> !mode.equals("0"))
        .map(mode ->
            new Noise(
                "each run has its memory at other addresses (ASLR), and so other conflicts in"
                    + " caches",
                "run the program with setarch -R"));
  }

  /** A line a device, below a heading. */
  private static Optional<Noise> swap(Path root) {
    return text(root, "proc/swaps")
        .filter(swaps -> swaps.lines().count() > 1)
        .map(swaps ->
            new Noise(
                "memory may be swapped out, and takes its time to come back",
                "give jobs --memory, with which they get no swap; or switch it off with swapoff -a"));
  }

  private static Optional<String> text(Path root, String file) {
    try {
      return Optional.of(Files.readString(root.resolve(file)).strip());
    } catch (IOException absent) {
      return Optional.empty();
    }
  }
}
