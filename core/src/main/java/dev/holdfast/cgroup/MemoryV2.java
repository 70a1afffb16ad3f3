package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The memory controller of v2: {@code memory.max} and its relatives. */
final class MemoryV2 implements Controller {
  private static final String MAX = "memory.max";
  private static final String SWAP_MAX = "memory.swap.max";
  private static final String OOM_GROUP = "memory.oom.group";

  private static final List<LimitKind> ONLY_V1 =
      List.of(LimitKind.SWAPPINESS, LimitKind.OOM_KILL_DISABLE, LimitKind.MEMORY_KERNEL);

  private final Directory group;

  MemoryV2(Directory group) {
    this.group = group;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("memory");
  }

  @Override
  public boolean isPresent() {
    return group.has(MAX);
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    int errno = group.tryWrite(OOM_GROUP, limits.oomGroup() ? "1" : "0");
    if (errno != 0 && errno != Errno.ENOENT) { // ENOENT: before Linux 4.19
      rows.failed("cannot make an out-of-memory kill end the whole group", group, OOM_GROUP, errno);
    }
    set(limits, LimitKind.MEMORY_MIN, "memory.min", rows);
    set(limits, LimitKind.MEMORY_LOW, "memory.low", rows);
    set(limits, LimitKind.MEMORY_HIGH, "memory.high", rows);
    set(limits, LimitKind.SWAP_HIGH, "memory.swap.high", rows);
    set(limits, LimitKind.ZSWAP, "memory.zswap.max", rows);
    // Before memory.max: what has to leave the memory must not go to swap meanwhile.
    swap(limits, rows);
    set(limits, LimitKind.MEMORY, MAX, rows);
    for (LimitKind kind : ONLY_V1) {
      Optional<Limits.Request> request = limits.get(kind);
      if (request.isPresent()) {
        rows.refused(
            request.get(),
            "v2 has nothing like " + kind.optionName(),
            "leave " + kind.optionName() + " out, or boot with cgroup v1",
            null);
      }
    }
  }

  private void set(Limits limits, LimitKind kind, String file, LimitRows rows) throws IOException {
    Optional<Limits.Request> request = limits.get(kind);
    if (request.isPresent()) {
      LimitValue value = bytes(request.get().value());
      rows.set(request.get(), group, file, value, value.toString(), LimitRows::countOrMax);
    }
  }

  /** A memory limit that lets the group go on in swap would bound nothing. */
  private void swap(Limits limits, LimitRows rows) throws IOException {
    boolean memoryLimited =
        limits
            .get(LimitKind.MEMORY)
            .map(request -> bytes(request.value()) instanceof LimitValue.Count)
            .orElse(false);
    Optional<Limits.Request> asked = limits.get(LimitKind.SWAP);
    if (asked.isEmpty() && !memoryLimited) {
      return;
    }
    Limits.Request request =
        asked.orElseGet(() -> Limits.Request.implied(LimitKind.SWAP, LimitValue.count(0)));
    LimitValue value = bytes(request.value());
    Directory.Exchange exchange = group.exchange(SWAP_MAX, value.toString());
    if (exchange.errno() == Errno.ENOENT) {
      rows.refused(
          request,
          "this kernel does not count swap: there is no " + SWAP_MAX,
          "use a kernel with swap, booted without swapaccount=0",
          null);
    } else {
      rows.check(request, group, SWAP_MAX, value, exchange, LimitRows::countOrMax);
    }
  }

  /** Above this the kernel's page counters stand for no limit, whatever the size of a page. */
  static LimitValue bytes(LimitValue value) {
    return value instanceof LimitValue.Count(long count) && count > Long.MAX_VALUE - LimitRows.PAGE
        ? LimitValue.UNLIMITED
        : value;
  }

  @Override
  public void usage(Figures figures) throws IOException {
    figures.memoryCurrent = FlatKeyed.number(figures.read(group, "memory.current"));
    figures.memoryPeak = FlatKeyed.number(figures.read(group, "memory.peak"));
    // It includes nested groups; memory.events.local does not.
    String events = figures.read(group, "memory.events");
    figures.oomKills = FlatKeyed.value(events, "oom_kill");
    figures.memoryMaxTrips = FlatKeyed.value(events, "max");
    figures.memoryHighTrips = FlatKeyed.value(events, "high");
    figures.memoryLowTrips = FlatKeyed.value(events, "low");
    figures.swapMaxTrips = FlatKeyed.value(figures.read(group, "memory.swap.events"), "max");
  }
}
