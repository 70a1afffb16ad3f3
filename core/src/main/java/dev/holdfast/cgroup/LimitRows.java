package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Collects what became of each limit. One that was asked for and does not hold is thrown, unless
 * the best effort is enough; an implied one that does not hold is only reported.
 *
 * <p>Not thread-safe.
 */
final class LimitRows {
  /** The kernel counts memory in pages, of 64 KiB at most. */
  static final long PAGE = 64 * 1024;

  private final Limits limits;
  private final boolean bestEffort;
  private final String mechanism;
  private final Map<LimitKind, AppliedLimit> rows = new EnumMap<>(LimitKind.class);

  /** The {@code mechanism} that is to enforce them, such as {@code cgroup-v2}, is for messages. */
  LimitRows(Limits limits, boolean bestEffort, String mechanism) {
    this.limits = limits;
    this.bestEffort = bestEffort;
    this.mechanism = mechanism;
  }

  /** In the order of {@link LimitKind}. */
  List<AppliedLimit> rows() {
    return List.copyOf(rows.values());
  }

  /** As the caller worded it; empty for an implied limit. */
  Optional<String> requested(LimitKind kind) {
    return limits.get(kind).map(Limits.Request::text);
  }

  void enforced(LimitKind kind, LimitValue effective, String by) {
    rows.put(kind, AppliedLimit.enforced(kind, requested(kind), effective, by));
  }

  void refused(LimitKind kind, String why, String remedy, @Nullable Throwable cause)
      throws HoldfastException {
    Optional<String> requested = requested(kind);
    if (requested.isPresent() && !bestEffort) {
      throw new HoldfastException(
          "cannot limit " + kind.optionName() + " to " + requested.get() + " with " + mechanism,
          why,
          remedy,
          cause);
    }
    rows.put(kind, AppliedLimit.unenforced(kind, requested, why));
  }

  /** Reports that the kernel refused to write {@code file}. */
  void refused(LimitKind kind, Directory group, String file, int errno) throws HoldfastException {
    SystemCallException cause =
        new SystemCallException("write", group.path().resolve(file).toString(), errno);
    String remedy =
        switch (errno) {
          case Errno.ENOENT -> "use a kernel that has " + file + ", or leave this limit out";
          case Errno.EINVAL -> "give a value that " + file + " takes here";
          default -> Refusal.remedy(errno);
        };
    refused(kind, String.valueOf(cause.getMessage()), remedy, cause);
  }

  /** Fails, unless the best effort is enough, for a setting that has no row. */
  void failed(String what, Directory group, String file, int errno) throws HoldfastException {
    if (!bestEffort) {
      throw Refusal.of(what, "write", group.path().resolve(file).toString(), errno);
    }
  }

  /** Writes {@code text} to {@code file} and reports what {@link #readBack} finds. */
  void set(
      LimitKind kind,
      Directory group,
      String file,
      LimitValue wanted,
      String text,
      Function<String, @Nullable LimitValue> parser)
      throws IOException {
    int errno = group.tryWrite(file, text);
    if (errno != 0) {
      refused(kind, group, file, errno);
    } else {
      readBack(kind, group, file, wanted, parser);
    }
  }

  /** Enforced if {@code file} holds what was wanted, memory up to the rounding to pages. */
  void readBack(
      LimitKind kind,
      Directory group,
      String file,
      LimitValue wanted,
      Function<String, @Nullable LimitValue> parser)
      throws IOException {
    String text = group.read(file);
    LimitValue found = parser.apply(text);
    if (found != null && same(kind, wanted, found)) {
      enforced(kind, found, file);
    } else {
      differs(kind, file, text.strip(), wanted);
    }
  }

  void differs(LimitKind kind, String file, String found, LimitValue wanted)
      throws HoldfastException {
    refused(
        kind,
        file + " reads \"" + found + "\" after " + wanted + " was set",
        "see whether somebody else sets limits on this group",
        null);
  }

  static boolean same(LimitKind kind, LimitValue wanted, LimitValue found) {
    long slack =
        switch (kind) {
          case MEMORY, MEMORY_HIGH, MEMORY_LOW, MEMORY_MIN, SWAP -> PAGE;
          case CPUS, CPU_WEIGHT, PIDS -> 1;
        };
    if (wanted instanceof LimitValue.Count(long a) && found instanceof LimitValue.Count(long b)) {
      return Math.abs(a - b) < slack;
    }
    return wanted.equals(found);
  }

  /** A number or {@code max}; null if it is neither. */
  static @Nullable LimitValue countOrMax(String text) {
    String stripped = text.strip();
    if (stripped.equals("max")) {
      return LimitValue.UNLIMITED;
    }
    var number = FlatKeyed.number(stripped);
    return number.isPresent() ? LimitValue.count(number.getAsLong()) : null;
  }
}
