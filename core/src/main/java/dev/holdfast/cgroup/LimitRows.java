package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
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

  private final boolean bestEffort;
  private final String mechanism;
  private final Earlier earlier;
  private final Rollback rollback = new Rollback();
  private final List<Read> read = new ArrayList<>();
  private List<AppliedLimit> rows = List.of();

  /** A limit that a file was found to hold. */
  private record Read(
      Limits.Request request, String file, Function<String, @Nullable LimitValue> parser) {}

  /** For a group of which nothing was asked yet. */
  LimitRows(boolean bestEffort, String mechanism) {
    this(bestEffort, mechanism, Earlier.NONE);
  }

  /** The {@code mechanism} that is to enforce them, such as {@code cgroup-v2}, is for messages. */
  LimitRows(boolean bestEffort, String mechanism, Earlier earlier) {
    this.bestEffort = bestEffort;
    this.mechanism = mechanism;
    this.earlier = earlier;
  }

  /** What was asked of the group before. */
  Earlier earlier() {
    return earlier;
  }

  /** Is to be told of every change. */
  Rollback rollback() {
    return rollback;
  }

  /** In the order of {@link LimitKind}. */
  List<AppliedLimit> rows() {
    return rows;
  }

  /** Whether it is known what became of {@code request}. */
  boolean has(Limits.Request request) {
    for (AppliedLimit row : rows) {
      if (request.isFor(row.kind(), row.key())) {
        return true;
      }
    }
    return false;
  }

  void enforced(Limits.Request request, LimitValue effective, String by) {
    put(AppliedLimit.enforced(request, effective, by));
  }

  void refused(Limits.Request request, String why, String remedy, @Nullable Throwable cause)
      throws HoldfastException {
    if (request.text().isPresent() && !bestEffort) {
      throw new HoldfastException(
          "cannot limit "
              + request.kind().optionName()
              + " to "
              + request.text().get()
              + " with "
              + mechanism,
          why,
          remedy,
          cause);
    }
    put(AppliedLimit.unenforced(request, why));
  }

  /** Reports that the kernel refused to write {@code file}. */
  void refused(Limits.Request request, Directory group, String file, int errno)
      throws HoldfastException {
    refused(request, group, file, errno, "", remedy(group, file, errno));
  }

  private static String remedy(Directory group, String file, int errno) {
    if (!group.has(Joining.FILE)) {
      return Refusal.remedy(errno); // ENOENT and ENODEV are of a group that was removed
    }
    return switch (errno) {
      case Errno.ENOENT, Errno.EOPNOTSUPP ->
          "use a kernel that has " + file + ", or leave this limit out";
      case Errno.EINVAL, Errno.ERANGE, Errno.ENOSPC -> "give a value that " + file + " takes here";
      case Errno.ENODEV -> "give a device that this machine has";
      default -> Refusal.remedy(errno);
    };
  }

  /** As above, where more is known than the errno says. */
  void refused(
      Limits.Request request, Directory group, String file, int errno, String why, String remedy)
      throws HoldfastException {
    SystemCallException cause =
        new SystemCallException("write", group.path().resolve(file).toString(), errno);
    String call = String.valueOf(cause.getMessage());
    refused(request, why.isEmpty() ? call : why + ": " + call, remedy, cause);
  }

  /** What {@code file} holds, if that is known; null otherwise. */
  @Nullable String known(String file) {
    return earlier.fresh() ? FreshValues.of(file) : null;
  }

  /** Writes {@code text} to {@code file}, and remembers what it held. */
  Directory.Exchange exchange(Directory group, String file, String text) throws IOException {
    return exchange(group, file, text, known(file), former -> former);
  }

  /**
   * As above, in a file that shows something else than what is written to it.
   *
   * @param back what to write so that it shows {@code former} again; null if that is not known
   */
  Directory.Exchange exchange(
      Directory group, String file, String text, Function<String, @Nullable String> back)
      throws IOException {
    return exchange(group, file, text, null, back);
  }

  private Directory.Exchange exchange(
      Directory group,
      String file,
      String text,
      @Nullable String known,
      Function<String, @Nullable String> back)
      throws IOException {
    Directory.Exchange exchange = group.exchange(file, text, known);
    if (exchange.errno() == 0) {
      String former = exchange.former();
      rollback.wrote(group, file, former == null ? null : back.apply(former));
    }
    return exchange;
  }

  /**
   * As above, in a file that has a line for each {@code key}, such as a device.
   *
   * @param lifted what stands for no limit there, should there have been no line
   */
  Directory.Exchange exchange(Directory group, String file, String key, String text, String lifted)
      throws IOException {
    return exchange(
        group,
        file,
        key + " " + text,
        former -> key + " " + KeyedLine.of(former, key).orElse(lifted));
  }

  /** Writes {@code text} to {@code file} and reports what {@link #readBack} finds. */
  void set(
      Limits.Request request,
      Directory group,
      String file,
      String text,
      Function<String, @Nullable LimitValue> parser)
      throws IOException {
    set(request, group, file, request.value(), text, parser);
  }

  /** As above, where the kernel shall show something else than what was asked for. */
  void set(
      Limits.Request request,
      Directory group,
      String file,
      LimitValue wanted,
      String text,
      Function<String, @Nullable LimitValue> parser)
      throws IOException {
    check(request, group, file, wanted, exchange(group, file, text), parser);
  }

  /** Reports what came of writing {@code file}. */
  void check(
      Limits.Request request,
      Directory group,
      String file,
      LimitValue wanted,
      Directory.Exchange exchange,
      Function<String, @Nullable LimitValue> parser)
      throws HoldfastException {
    if (exchange.errno() != 0) {
      refused(request, group, file, exchange.errno());
    } else {
      check(request, file, wanted, exchange.text(), parser);
    }
  }

  /** Enforced if {@code file} holds what was wanted, memory up to the rounding to pages. */
  void readBack(
      Limits.Request request,
      Directory group,
      String file,
      LimitValue wanted,
      Function<String, @Nullable LimitValue> parser)
      throws IOException {
    check(request, file, wanted, group.read(file), parser);
  }

  private void check(
      Limits.Request request,
      String file,
      LimitValue wanted,
      String text,
      Function<String, @Nullable LimitValue> parser)
      throws HoldfastException {
    LimitValue found = parser.apply(text);
    if (found != null && same(request.kind(), wanted, found)) {
      enforced(request, found, file);
      read.add(new Read(request, file, parser));
    } else {
      differs(request, file, text.strip(), wanted);
    }
  }

  /** {@code file} was set by name, after everything else: what holds is what it shows now. */
  void overruled(String file, String text) {
    for (Read each : read) {
      LimitValue found = each.file.equals(file) ? each.parser.apply(text) : null;
      if (found != null) {
        enforced(each.request, found, file);
      }
    }
  }

  void differs(Limits.Request request, String file, String found, LimitValue wanted)
      throws HoldfastException {
    refused(
        request,
        file + " reads \"" + found + "\" after " + wanted + " was set",
        "see whether somebody else sets limits on this group",
        null);
  }

  static boolean same(LimitKind kind, LimitValue wanted, LimitValue found) {
    long slack =
        switch (kind) {
          case MEMORY, MEMORY_HIGH, MEMORY_LOW, MEMORY_MIN, SWAP, SWAP_HIGH, ZSWAP, MEMORY_KERNEL ->
              PAGE;
          default -> 1;
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

  private void put(AppliedLimit row) {
    rows = AppliedLimit.merge(rows, List.of(row));
  }
}
