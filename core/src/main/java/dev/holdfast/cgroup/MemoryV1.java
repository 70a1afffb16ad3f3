package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The memory controller of v1. Its {@code memory.memsw.limit_in_bytes} counts memory and swap
 * together, and may never be below {@code memory.limit_in_bytes}.
 */
final class MemoryV1 implements Controller {
  private static final String LIMIT = "memory.limit_in_bytes";
  static final String MEMSW = "memory.memsw.limit_in_bytes";
  private static final String SOFT = "memory.soft_limit_in_bytes";
  private static final String KERNEL = "memory.kmem.limit_in_bytes";
  private static final String OOM_CONTROL = "memory.oom_control";
  static final String HIERARCHY = "memory.use_hierarchy";

  /** The kernel charges 64 pages at a time where there is room for them. */
  private static final long CHARGED_AT_ONCE = 64 * LimitRows.PAGE;

  private static final Map<LimitKind, String> ONLY_V2 =
      Map.of(
          LimitKind.MEMORY_HIGH, "memory.high",
          LimitKind.MEMORY_MIN, "memory.min",
          LimitKind.SWAP_HIGH, "memory.swap.high",
          LimitKind.ZSWAP, "memory.zswap.max");

  private final Branch branch;
  private final Directory group;

  /** The limits as they were read last; null until then. */
  private volatile @Nullable String limitText;

  private volatile @Nullable String togetherText;

  MemoryV1(Branch branch) {
    this.branch = branch;
    this.group = branch.directory();
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("memory");
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    for (Limits.Request request : limits.requests()) {
      String file = ONLY_V2.get(request.kind());
      if (file != null) {
        rows.refused(
            request,
            "v1 has no " + file,
            "leave " + request.kind().optionName() + " out, or boot with cgroup v2",
            null);
      }
    }
    Optional<Limits.Request> low = limits.get(LimitKind.MEMORY_LOW);
    if (low.isPresent()) {
      LimitValue value = MemoryV2.bytes(low.get().value());
      rows.set(low.get(), group, SOFT, value, text(value), MemoryV1::parse);
    }
    Optional<Limits.Request> swappiness = limits.get(LimitKind.SWAPPINESS);
    if (swappiness.isPresent()) {
      String text = swappiness.get().value().toString();
      rows.set(swappiness.get(), group, "memory.swappiness", text, LimitRows::countOrMax);
    }
    Optional<Limits.Request> waits = limits.get(LimitKind.OOM_KILL_DISABLE);
    if (waits.isPresent()) {
      oomControl(waits.get(), rows);
    }
    Optional<Limits.Request> kernel = limits.get(LimitKind.MEMORY_KERNEL);
    if (kernel.isPresent()) {
      kernel(kernel.get(), rows);
    }
    Optional<Limits.Request> memory = limits.get(LimitKind.MEMORY);
    Optional<Limits.Request> swap = limits.get(LimitKind.SWAP);
    if (memory.isPresent()) {
      // The file counts both together: swap that was asked for before moves along.
      memory(memory.get(), swap.isPresent() ? swap : rows.earlier().swapLimit(), rows);
      if (swap.isPresent() && !rows.has(swap.get())) {
        withoutMemory(swap.get(), rows);
      }
    } else if (swap.isPresent()) {
      LimitValue current = parse(group.read(LIMIT));
      swap(current == null ? LimitValue.UNLIMITED : current, swap, rows);
    }
  }

  /** The file shows more than what is written to it. */
  private void oomControl(Limits.Request request, LimitRows rows) throws IOException {
    Directory.Exchange exchange =
        rows.exchange(
            group,
            OOM_CONTROL,
            request.value().toString(),
            former -> {
              LimitValue before = oomKillDisable(former);
              return before == null ? null : before.toString();
            });
    rows.check(request, group, OOM_CONTROL, request.value(), exchange, MemoryV1::oomKillDisable);
  }

  /** Swap is what memory leaves of both: with the best effort, it is not limited either. */
  private static void withoutMemory(Limits.Request swap, LimitRows rows) throws IOException {
    String why = "v1 counts memory and swap together, and memory is not limited";
    for (AppliedLimit row : rows.rows()) {
      if (row.kind() == LimitKind.MEMORY && row.reason().isPresent()) {
        why += ": " + row.reason().get();
      }
    }
    rows.refused(swap, why, "give a memory limit that can be had", null);
  }

  /** Since Linux 5.16 the file is gone, refuses, or takes everything and does nothing. */
  private void kernel(Limits.Request request, LimitRows rows) throws IOException {
    LimitValue wanted = MemoryV2.bytes(request.value());
    Directory.Exchange exchange = rows.exchange(group, KERNEL, text(wanted));
    LimitValue found = exchange.errno() == 0 ? parse(exchange.text()) : null;
    if (found != null && LimitRows.same(request.kind(), wanted, found)) {
      rows.enforced(request, found, KERNEL);
      return;
    }
    String why = "this kernel does not limit its own memory apart from the group's";
    String remedy = "leave memory-kernel out: what the kernel uses for the group counts in memory";
    switch (exchange.errno()) {
      case 0 -> rows.refused(request, why, remedy, null);
      case Errno.ENOENT, Errno.EOPNOTSUPP ->
          rows.refused(request, group, KERNEL, exchange.errno(), why, remedy);
      default -> rows.refused(request, group, KERNEL, exchange.errno());
    }
  }

  private void memory(Limits.Request request, Optional<Limits.Request> swap, LimitRows rows)
      throws IOException {
    // Before Linux 5.11 a nested group could stand beside the limit instead of below it.
    if (!branch.bindsNested()) {
      int errno = rows.exchange(group, HIERARCHY, "1").errno();
      if (errno != 0) {
        rows.refused(request, group, HIERARCHY, errno);
        return;
      }
    }
    LimitValue memory = MemoryV2.bytes(request.value());
    Directory.Exchange exchange = rows.exchange(group, LIMIT, text(memory));
    if (exchange.errno() == Errno.EINVAL) {
      // Above the present memory.memsw.limit_in_bytes: raise that first.
      rows.exchange(group, MEMSW, text(sum(memory, swap(swap))));
      exchange = rows.exchange(group, LIMIT, text(memory));
    }
    if (exchange.errno() == Errno.EBUSY) {
      rows.refused(
          request,
          group,
          LIMIT,
          exchange.errno(),
          "the group uses more than that already, and the kernel cannot reclaim it",
          "give a limit above "
              + FlatKeyed.number(group.readIfPresent("memory.usage_in_bytes")).orElse(0)
              + " bytes, or end some of its processes");
      return;
    }
    rows.check(request, group, LIMIT, memory, exchange, MemoryV1::parse);
    limitText = null; // memory.memsw.limit_in_bytes follows, or stays
    if (exchange.errno() == 0) {
      limitText = exchange.text();
      if (swap.isPresent() || !rows.earlier().rawSwap()) {
        swap(memory, swap, rows);
      }
    }
  }

  private static LimitValue swap(Optional<Limits.Request> asked) {
    return asked.isPresent() ? MemoryV2.bytes(asked.get().value()) : LimitValue.count(0);
  }

  /** Bounds memory and swap together. */
  private void swap(LimitValue memory, Optional<Limits.Request> asked, LimitRows rows)
      throws IOException {
    LimitValue swap = swap(asked);
    Limits.Request request =
        asked.orElseGet(() -> Limits.Request.implied(LimitKind.SWAP, LimitValue.count(0)));
    if (memory.equals(LimitValue.UNLIMITED)
        && asked.isPresent()
        && swap instanceof LimitValue.Count) {
      rows.refused(
          request,
          "v1 counts memory and swap together, so swap alone cannot be limited",
          "give a memory limit too",
          null);
      return;
    }
    LimitValue together = sum(memory, swap);
    Directory.Exchange exchange = rows.exchange(group, MEMSW, text(together));
    if (asked.isEmpty() && memory.equals(LimitValue.UNLIMITED)) {
      return; // lifted with the memory limit, as far as the kernel counts it: nothing is implied
    }
    if (exchange.errno() == Errno.ENOENT || exchange.errno() == Errno.EOPNOTSUPP) {
      rows.refused(
          request,
          group,
          MEMSW,
          exchange.errno(),
          "this kernel does not count swap",
          "boot with swapaccount=1");
      return;
    }
    if (exchange.errno() != 0) {
      rows.refused(request, group, MEMSW, exchange.errno());
      return;
    }
    togetherText = exchange.text();
    LimitValue found = parse(exchange.text());
    String limitNow = limitText;
    LimitValue limit = parse(limitNow == null ? group.read(LIMIT) : limitNow);
    if (found == null || !LimitRows.same(LimitKind.SWAP, together, found)) {
      rows.differs(request, MEMSW, exchange.text().strip(), together);
    } else if (found instanceof LimitValue.Count(long both)
        && limit instanceof LimitValue.Count(long alone)) {
      rows.enforced(request, LimitValue.count(both - alone), MEMSW);
    } else {
      rows.enforced(request, LimitValue.UNLIMITED, MEMSW);
    }
  }

  /** Memory and swap; a sum that no number holds is no limit. */
  private static LimitValue sum(LimitValue memory, LimitValue swap) {
    if (memory instanceof LimitValue.Count(long a) && swap instanceof LimitValue.Count(long b)) {
      long sum = a + b;
      return sum < 0 ? LimitValue.UNLIMITED : MemoryV2.bytes(LimitValue.count(sum));
    }
    return LimitValue.UNLIMITED;
  }

  private static String text(LimitValue value) {
    return value.equals(LimitValue.UNLIMITED) ? "-1" : value.toString();
  }

  /** No limit reads as the largest number of whole pages. */
  static @Nullable LimitValue parse(String text) {
    OptionalLong number = FlatKeyed.signed(text);
    if (number.isEmpty()) {
      return null;
    }
    return number.getAsLong() < 0
        ? LimitValue.UNLIMITED
        : MemoryV2.bytes(LimitValue.count(number.getAsLong()));
  }

  private static @Nullable LimitValue oomKillDisable(String text) {
    OptionalLong value = FlatKeyed.value(text, "oom_kill_disable");
    return value.isPresent() ? LimitValue.count(value.getAsLong()) : null;
  }

  @Override
  public void usage(Figures figures) throws IOException {
    figures.memoryCurrent = FlatKeyed.number(figures.read(group, "memory.usage_in_bytes"));
    figures.memoryPeak = FlatKeyed.number(figures.read(group, "memory.max_usage_in_bytes"));
    String control = figures.read(group, OOM_CONTROL);
    figures.oomKills = NestedSum.of(branch, OOM_CONTROL, "oom_kill", control);
    trips(figures, FlatKeyed.value(control, "oom_kill"));
  }

  /**
   * How often the limits were reached. Where no swap is allowed both are the same, and the kernel
   * comes up against that of memory and swap together first; which recent kernels do not count
   * (seen on 6.18: {@code memory.memsw.failcnt} stays 0). So a 0 is only believed if usage never
   * came near the limit.
   */
  private void trips(Figures figures, OptionalLong oomKills) throws IOException {
    OptionalLong memory = FlatKeyed.number(figures.read(group, "memory.failcnt"));
    OptionalLong together = FlatKeyed.number(figures.read(group, "memory.memsw.failcnt"));
    String limit = limitText;
    String limitTogether = togetherText;
    if (limit == null) {
      limitText = limit = figures.read(group, LIMIT);
      togetherText = limitTogether = figures.read(group, MEMSW);
    }
    if (together.orElse(-1) == 0
        && isLimited(limitTogether)
        && isNear(figures.read(group, "memory.memsw.max_usage_in_bytes"), limitTogether)) {
      together = OptionalLong.empty();
    }
    figures.swapMaxTrips = together;
    if (limit != null && limit.equals(limitTogether) && memory.isPresent()) {
      memory = Figures.sum(memory, together.orElse(0));
      if (memory.orElse(-1) == 0) {
        long killed = oomKills.orElse(0);
        memory = killed == 0 && together.isEmpty() ? OptionalLong.empty() : OptionalLong.of(killed);
      }
    }
    figures.memoryMaxTrips = memory;
  }

  private static boolean isLimited(@Nullable String text) {
    return text != null && parse(text) instanceof LimitValue.Count;
  }

  private static boolean isNear(@Nullable String peakText, @Nullable String limitText) {
    OptionalLong peak = FlatKeyed.number(peakText);
    OptionalLong limit = FlatKeyed.number(limitText);
    return peak.isPresent()
        && limit.isPresent()
        && peak.getAsLong() > limit.getAsLong() - CHARGED_AT_ONCE;
  }
}
