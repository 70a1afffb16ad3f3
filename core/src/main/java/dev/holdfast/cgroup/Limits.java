package dev.holdfast.cgroup;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A request for limits, as the caller worded it. What the kernel made of it is an {@link
 * AppliedLimit} each.
 *
 * <p>Immutable and thread-safe; the builder is neither.
 */
public final class Limits {
  /** No limit at all. */
  public static final Limits NONE = builder().build();

  /**
   * One limit asked for.
   *
   * @param value what it shall be
   * @param text as the caller worded it, such as {@code 64M}
   */
  public record Request(LimitValue value, String text) {}

  private final Map<LimitKind, Request> requests;
  private final boolean oomGroup;

  private Limits(Map<LimitKind, Request> requests, boolean oomGroup) {
    this.requests = Collections.unmodifiableMap(requests);
    this.oomGroup = oomGroup;
  }

  public static Builder builder() {
    return new Builder();
  }

  /** What was asked for {@code kind}. */
  public Optional<Request> get(LimitKind kind) {
    return Optional.ofNullable(requests.get(kind));
  }

  /** What was asked for, in the order of {@link LimitKind}. */
  public Map<LimitKind, Request> requests() {
    return requests;
  }

  /** The kinds that were asked for. */
  public List<LimitKind> kinds() {
    return List.copyOf(requests.keySet());
  }

  public boolean isEmpty() {
    return requests.isEmpty();
  }

  /** Whether one out-of-memory kill in the group ends the whole group; true unless set. */
  public boolean oomGroup() {
    return oomGroup;
  }

  /** Every limit asked for, as one that nothing enforces. */
  public List<AppliedLimit> unenforced(String reason) {
    return requests.entrySet().stream()
        .map(e -> AppliedLimit.unenforced(e.getKey(), Optional.of(e.getValue().text()), reason))
        .toList();
  }

  /** Collects limits. A value out of range is an {@link IllegalArgumentException}. */
  public static final class Builder {
    private final Map<LimitKind, Request> requests = new EnumMap<>(LimitKind.class);
    private boolean oomGroup = true;

    private Builder() {}

    /** Hard limit in bytes; swap is 0 with it, unless {@link #swap} is given. */
    public Builder memory(long bytes) {
      return size(LimitKind.MEMORY, Long.toString(bytes));
    }

    /** Hard limit, such as {@code 64M} or {@code max}. */
    public Builder memory(String size) {
      return size(LimitKind.MEMORY, size);
    }

    /** Above this the kernel reclaims and slows the job down. */
    public Builder memoryHigh(String size) {
      return size(LimitKind.MEMORY_HIGH, size);
    }

    /** Below this memory is kept from reclaim as far as possible. */
    public Builder memoryLow(String size) {
      return size(LimitKind.MEMORY_LOW, size);
    }

    /** Below this memory is never reclaimed. */
    public Builder memoryMin(String size) {
      return size(LimitKind.MEMORY_MIN, size);
    }

    /** Swap alone, on top of memory. */
    public Builder swap(String size) {
      return size(LimitKind.SWAP, size);
    }

    /** CPU time per time, in CPUs, from 0.001. */
    public Builder cpus(double cpus) {
      return cpus(Double.toString(cpus));
    }

    /** CPUs, such as {@code 0.5} or {@code max}. */
    public Builder cpus(String text) {
      return put(LimitKind.CPUS, LimitText.cpus(text), text);
    }

    /** Share of the CPUs against siblings, 1 to 10000; 100 is usual. */
    public Builder cpuWeight(long weight) {
      return cpuWeight(Long.toString(weight));
    }

    /** As {@link #cpuWeight(long)}. */
    public Builder cpuWeight(String text) {
      return put(LimitKind.CPU_WEIGHT, LimitText.count(text, 1, 10_000), text);
    }

    /** How many tasks (processes and threads) at once. */
    public Builder pids(long tasks) {
      return pids(Long.toString(tasks));
    }

    /** Tasks at once, or {@code max}. */
    public Builder pids(String text) {
      return put(
          LimitKind.PIDS,
          LimitText.isUnlimited(text)
              ? LimitValue.UNLIMITED
              : LimitText.count(text, 1, LimitText.MOST_TASKS),
          text);
    }

    /** See {@link Limits#oomGroup}. */
    public Builder oomGroup(boolean yes) {
      oomGroup = yes;
      return this;
    }

    /** Sets {@code kind} as the option of that name would. */
    public Builder set(LimitKind kind, String text) {
      return switch (kind) {
        case MEMORY, MEMORY_HIGH, MEMORY_LOW, MEMORY_MIN, SWAP -> size(kind, text);
        case CPUS -> cpus(text);
        case CPU_WEIGHT -> cpuWeight(text);
        case PIDS -> pids(text);
      };
    }

    public Limits build() {
      return new Limits(new EnumMap<>(requests), oomGroup);
    }

    private Builder size(LimitKind kind, String text) {
      return put(kind, LimitText.size(text), text);
    }

    private Builder put(LimitKind kind, LimitValue value, String text) {
      requests.put(kind, new Request(value, text));
      return this;
    }
  }
}
