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
  static final String SWAP_MAX = "memory.swap.max";

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
    set(limits, LimitKind.MEMORY_MIN, "memory.min", rows);
    set(limits, LimitKind.MEMORY_LOW, "memory.low", rows);
    set(limits, LimitKind.MEMORY_HIGH, "memory.high", rows);
    set(limits, LimitKind.SWAP_HIGH, "memory.swap.high", rows);
    set(limits, LimitKind.ZSWAP, "memory.zswap.max", rows);
    if (grows(limits, rows)) {
      // What has to leave the swap finds room in memory.
      set(limits, LimitKind.MEMORY, MAX, rows);
      swap(limits, rows);
    } else {
      // What has to leave the memory must not go to swap that is to go, and find what is to come.
      swap(limits, rows);
      set(limits, LimitKind.MEMORY, MAX, rows);
    }
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

  /**
   * Whether the memory limit is raised. Between two writes the group has the one limit of before
   * and the other of afterwards; in this order they are never both the lower ones.
   */
  private boolean grows(Limits limits, LimitRows rows) throws IOException {
    Optional<Limits.Request> request = limits.get(LimitKind.MEMORY);
    if (request.isEmpty() || rows.earlier().fresh()) {
      return false; // a new group has no limit
    }
    String text = group.readIfPresent(MAX);
    LimitValue present = text == null ? null : LimitRows.countOrMax(text);
    LimitValue wanted = bytes(request.get().value());
    return present instanceof LimitValue.Count(long before)
        && (!(wanted instanceof LimitValue.Count(long after)) || after > before);
  }

  /** A memory limit that lets the group go on in swap would bound nothing. */
  private void swap(Limits limits, LimitRows rows) throws IOException {
    boolean memoryLimited =
        limits
            .get(LimitKind.MEMORY)
            .map(request -> bytes(request.value()) instanceof LimitValue.Count)
            .orElse(false);
    Optional<Limits.Request> asked = limits.get(LimitKind.SWAP);
    if (asked.isEmpty() && (!memoryLimited || rows.earlier().swap().isPresent())) {
      return;
    }
    Limits.Request request =
        asked.orElseGet(() -> Limits.Request.implied(LimitKind.SWAP, LimitValue.count(0)));
    LimitValue value = bytes(request.value());
    Directory.Exchange exchange = rows.exchange(group, SWAP_MAX, value.toString());
    if (exchange.errno() == Errno.ENOENT) {
      rows.refused(
          request,
          group,
          SWAP_MAX,
          exchange.errno(),
          "this kernel does not count swap",
          "use a kernel with swap, booted without swapaccount=0");
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
