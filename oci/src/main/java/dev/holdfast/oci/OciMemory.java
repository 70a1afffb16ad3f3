package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * {@code linux.resources.memory}. Sizes are in bytes; −1 is no limit, 0 is as good as absent.
 *
 * @param limit of memory
 * @param reservation what is kept from reclaim as far as possible
 * @param swap limit of memory and swap <em>together</em>
 * @param kernel limit of the kernel's own memory, on v1 before Linux 5.16
 * @param kernelTcp limit of the buffers of TCP, on v1 alone
 * @param swappiness how willingly the kernel swaps, on v1 alone
 * @param disableOomKiller whether tasks wait for memory instead of being killed, on v1 alone
 * @param useHierarchy whether nested groups count, as they always do
 * @param checkBeforeUpdate whether a limit below what is used is refused; nothing is used yet
 */
public record OciMemory(
    OptionalLong limit,
    OptionalLong reservation,
    OptionalLong swap,
    OptionalLong kernel,
    OptionalLong kernelTcp,
    OptionalInt swappiness,
    Optional<Boolean> disableOomKiller,
    Optional<Boolean> useHierarchy,
    Optional<Boolean> checkBeforeUpdate) {
  private static final String PATH = "linux.resources.memory";
  private static final int MOST_SWAPPINESS = 200;

  static OciMemory read(Node memory) throws HoldfastException {
    return new OciMemory(
        size(memory.get("limit")),
        size(memory.get("reservation")),
        size(memory.get("swap")),
        size(memory.get("kernel")),
        size(memory.get("kernelTCP")),
        memory.get("swappiness").integer(0, MOST_SWAPPINESS),
        memory.get("disableOOMKiller").truth(),
        memory.get("useHierarchy").truth(),
        memory.get("checkBeforeUpdate").truth());
  }

  private static OptionalLong size(Node node) throws HoldfastException {
    return node.integer(-1L, Long.MAX_VALUE);
  }

  void addTo(List<Setting> settings) throws HoldfastException {
    size(settings, ".limit", LimitKind.MEMORY, limit);
    size(settings, ".reservation", LimitKind.MEMORY_LOW, reservation);
    OptionalLong alone = swapAlone();
    if (alone.isPresent()) {
      long bytes = alone.getAsLong();
      settings.add(
          bytes == SwapLimit.UNLIMITED
              ? Setting.of(PATH + ".swap", LimitKind.SWAP, "max")
              : new Setting(
                  PATH + ".swap",
                  LimitKind.SWAP,
                  Long.toString(bytes),
                  builder -> builder.swap(bytes)));
    }
    if (kernel.orElse(0) > 0) {
      size(settings, ".kernel", LimitKind.MEMORY_KERNEL, kernel);
    }
    if (kernelTcp.orElse(0) != 0) {
      settings.add(
          Setting.of(
              PATH + ".kernelTCP",
              LimitKind.SET,
              "memory.kmem.tcp.limit_in_bytes=" + kernelTcp.getAsLong()));
    }
    if (swappiness.isPresent()) {
      settings.add(
          Setting.of(
              PATH + ".swappiness", LimitKind.SWAPPINESS, Integer.toString(swappiness.getAsInt())));
    }
    if (disableOomKiller.orElse(false)) {
      settings.add(Setting.of(PATH + ".disableOOMKiller", LimitKind.OOM_KILL_DISABLE, "yes"));
    }
  }

  private static void size(
      List<Setting> settings, String name, LimitKind kind, OptionalLong bytes) {
    if (bytes.orElse(0) != 0) {
      String text = bytes.getAsLong() < 0 ? "max" : Long.toString(bytes.getAsLong());
      settings.add(Setting.of(PATH + name, kind, text));
    }
  }

  private OptionalLong swapAlone() throws HoldfastException {
    try {
      return SwapLimit.alone(limit.orElse(0), swap.orElse(0));
    } catch (IllegalArgumentException refused) {
      throw Wrong.at(PATH + ".swap", String.valueOf(refused.getMessage()), refused);
    }
  }

  /** What is asked for and has no effect, each with why. */
  void addIgnored(List<String> ignored) {
    if (!useHierarchy.orElse(true)) {
      ignored.add(PATH + ".useHierarchy: nested groups always count");
    }
    if (checkBeforeUpdate.orElse(false)) {
      ignored.add(PATH + ".checkBeforeUpdate: nothing is used yet when limits are set");
    }
  }
}
