package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The memory controller of v1. Its {@code memory.memsw.limit_in_bytes} counts memory and swap
 * together, and may never be below {@code memory.limit_in_bytes}.
 */
final class MemoryV1 implements Controller {
  private static final String LIMIT = "memory.limit_in_bytes";
  private static final String MEMSW = "memory.memsw.limit_in_bytes";
  private static final String SOFT = "memory.soft_limit_in_bytes";
  private static final String HIERARCHY = "memory.use_hierarchy";

  /** The kernel charges 64 pages at a time where there is room for them. */
  private static final long CHARGED_AT_ONCE = 64 * LimitRows.PAGE;

  private final Branch branch;
  private final Directory group;

  MemoryV1(Branch branch) {
    this.branch = branch;
    this.group = branch.directory();
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    for (LimitKind kind : new LimitKind[] {LimitKind.MEMORY_HIGH, LimitKind.MEMORY_MIN}) {
      if (limits.get(kind).isPresent()) {
        rows.refused(
            kind,
            "v1 has no " + (kind == LimitKind.MEMORY_HIGH ? "memory.high" : "memory.min"),
            "leave " + kind.optionName() + " out, or boot with cgroup v2",
            null);
      }
    }
    Optional<Limits.Request> low = limits.get(LimitKind.MEMORY_LOW);
    if (low.isPresent()) {
      LimitValue value = MemoryV2.bytes(low.get().value());
      rows.set(LimitKind.MEMORY_LOW, group, SOFT, value, text(value), MemoryV1::parse);
    }
    @Nullable LimitValue memory = value(limits, LimitKind.MEMORY);
    @Nullable LimitValue swap = value(limits, LimitKind.SWAP);
    if (memory != null) {
      memory(memory, swap, rows);
    } else if (swap != null) {
      LimitValue current = parse(group.read(LIMIT));
      swap(current == null ? LimitValue.UNLIMITED : current, swap, rows);
    }
  }

  private static @Nullable LimitValue value(Limits limits, LimitKind kind) {
    return limits.get(kind).map(request -> MemoryV2.bytes(request.value())).orElse(null);
  }

  private void memory(LimitValue memory, @Nullable LimitValue swap, LimitRows rows)
      throws IOException {
    // Before Linux 5.11 a nested group could stand beside the limit instead of below it.
    String hierarchy = group.readIfPresent(HIERARCHY);
    if (hierarchy != null && hierarchy.strip().equals("0")) {
      int errno = group.tryWrite(HIERARCHY, "1");
      if (errno != 0) {
        rows.refused(LimitKind.MEMORY, group, HIERARCHY, errno);
        return;
      }
    }
    int errno = group.tryWrite(LIMIT, text(memory));
    if (errno == Errno.EINVAL) {
      // Above the present memory.memsw.limit_in_bytes: raise that first.
      group.tryWrite(MEMSW, text(sum(memory, swap == null ? LimitValue.count(0) : swap)));
      errno = group.tryWrite(LIMIT, text(memory));
    }
    if (errno == Errno.EBUSY) {
      rows.refused(
          LimitKind.MEMORY,
          "the group uses more than that already, and the kernel cannot reclaim it",
          "give a limit above "
              + FlatKeyed.number(group.readIfPresent("memory.usage_in_bytes")).orElse(0)
              + " bytes, or end some of its processes",
          null);
      return;
    }
    if (errno != 0) {
      rows.refused(LimitKind.MEMORY, group, LIMIT, errno);
      return;
    }
    rows.readBack(LimitKind.MEMORY, group, LIMIT, memory, MemoryV1::parse);
    swap(memory, swap, rows);
  }

  /** Bounds memory and swap together; {@code swap} is null if it was not asked for. */
  private void swap(LimitValue memory, @Nullable LimitValue swap, LimitRows rows)
      throws IOException {
    if (memory.equals(LimitValue.UNLIMITED) && swap instanceof LimitValue.Count) {
      rows.refused(
          LimitKind.SWAP,
          "v1 counts memory and swap together, so swap alone cannot be limited",
          "give a memory limit too",
          null);
      return;
    }
    LimitValue together = sum(memory, swap == null ? LimitValue.count(0) : swap);
    int errno = group.tryWrite(MEMSW, text(together));
    if (swap == null && memory.equals(LimitValue.UNLIMITED)) {
      return; // lifted with the memory limit, as far as the kernel counts it: nothing is implied
    }
    if (errno == Errno.ENOENT || errno == Errno.EOPNOTSUPP) {
      rows.refused(
          LimitKind.SWAP,
          "this kernel does not count swap: there is no " + MEMSW,
          "boot with swapaccount=1",
          null);
      return;
    }
    if (errno != 0) {
      rows.refused(LimitKind.SWAP, group, MEMSW, errno);
      return;
    }
    String text = group.read(MEMSW);
    LimitValue found = parse(text);
    LimitValue limit = parse(group.read(LIMIT));
    if (found == null || !LimitRows.same(LimitKind.SWAP, together, found)) {
      rows.differs(LimitKind.SWAP, MEMSW, text.strip(), together);
    } else if (found instanceof LimitValue.Count(long both)
        && limit instanceof LimitValue.Count(long alone)) {
      rows.enforced(LimitKind.SWAP, LimitValue.count(both - alone), MEMSW);
    } else {
      rows.enforced(LimitKind.SWAP, LimitValue.UNLIMITED, MEMSW);
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
    OptionalLong number = FlatKeyed.number(text);
    if (number.isEmpty()) {
      return null;
    }
    return number.getAsLong() < 0
        ? LimitValue.UNLIMITED
        : MemoryV2.bytes(LimitValue.count(number.getAsLong()));
  }

  @Override
  public void usage(Figures figures) throws IOException {
    figures.memoryCurrent = FlatKeyed.number(group.readIfPresent("memory.usage_in_bytes"));
    figures.memoryPeak = FlatKeyed.number(group.readIfPresent("memory.max_usage_in_bytes"));
    figures.oomKills = NestedSum.of(branch, "memory.oom_control", "oom_kill");
    trips(figures);
  }

  /**
   * How often the limits were reached. Where no swap is allowed both are the same, and the kernel
   * comes up against that of memory and swap together first; which recent kernels do not count
   * (seen on 6.18: {@code memory.memsw.failcnt} stays 0). So a 0 is only believed if usage never
   * came near the limit.
   */
  private void trips(Figures figures) throws IOException {
    OptionalLong memory = FlatKeyed.number(group.readIfPresent("memory.failcnt"));
    OptionalLong together = FlatKeyed.number(group.readIfPresent("memory.memsw.failcnt"));
    String limit = group.readIfPresent(LIMIT);
    String limitTogether = group.readIfPresent(MEMSW);
    if (together.orElse(-1) == 0
        && isNear(group.readIfPresent("memory.memsw.max_usage_in_bytes"), limitTogether)) {
      together = OptionalLong.empty();
    }
    figures.swapMaxTrips = together;
    if (limit != null && limit.equals(limitTogether) && memory.isPresent()) {
      long known = memory.getAsLong() + together.orElse(0);
      if (known == 0) {
        known = FlatKeyed.value(group.readIfPresent("memory.oom_control"), "oom_kill").orElse(0);
      }
      memory = known == 0 && together.isEmpty() ? OptionalLong.empty() : OptionalLong.of(known);
    }
    figures.memoryMaxTrips = memory;
  }

  private static boolean isNear(@Nullable String peakText, @Nullable String limitText) {
    OptionalLong peak = FlatKeyed.number(peakText);
    OptionalLong limit = FlatKeyed.number(limitText);
    return peak.isPresent()
        && limit.isPresent()
        && peak.getAsLong() > limit.getAsLong() - CHARGED_AT_ONCE;
  }
}
