package dev.holdfast.cgroup;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A limit as the kernel took it. Immutable.
 *
 * @param kind what is limited
 * @param key of what there is one limit each, such as {@code 8:0} for a block device; empty where
 *     there is only one
 * @param requested as the caller worded it; empty if the limit is implied by another (swap 0 under
 *     a memory limit)
 * @param effective what the kernel gives back; empty if it is not enforced
 * @param status whether it holds
 * @param by the file that holds it, such as {@code memory.max}; where it does not hold, what stands
 *     in for it as far as it goes, such as {@code RLIMIT_AS}, which is no limit of the job
 * @param reason why it does not hold
 */
public record AppliedLimit(
    LimitKind kind,
    String key,
    Optional<String> requested,
    Optional<LimitValue> effective,
    Status status,
    Optional<String> by,
    Optional<String> reason) {

  /** Whether a limit holds. */
  public enum Status {
    ENFORCED,
    UNENFORCED
  }

  /** Whether a limit has shown: that it was reached is no proof that it ended the job. */
  public enum Evidence {
    TRIPPED,
    NOT_TRIPPED,
    UNKNOWN
  }

  /** One that {@code by} holds. */
  public static AppliedLimit enforced(Limits.Request request, LimitValue effective, String by) {
    return new AppliedLimit(
        request.kind(),
        request.key(),
        request.text(),
        Optional.of(effective),
        Status.ENFORCED,
        Optional.of(by),
        Optional.empty());
  }

  /** As above, of what there is only one limit. */
  public static AppliedLimit enforced(
      LimitKind kind, Optional<String> requested, LimitValue effective, String by) {
    return enforced(new Limits.Request(kind, "", effective, requested), effective, by);
  }

  /** One that nothing holds. */
  public static AppliedLimit unenforced(Limits.Request request, String reason) {
    return unenforced(request.kind(), request.key(), request.text(), reason);
  }

  /** One that does not hold either, but {@code by} stands in for it as far as it goes. */
  public static AppliedLimit standIn(Limits.Request request, String by, String reason) {
    return new AppliedLimit(
        request.kind(),
        request.key(),
        request.text(),
        Optional.empty(),
        Status.UNENFORCED,
        Optional.of(by),
        Optional.of(reason));
  }

  /** Of what there is only one limit, {@code requested} so. */
  public static AppliedLimit unenforced(LimitKind kind, String requested, String reason) {
    return unenforced(kind, "", Optional.of(requested), reason);
  }

  private static AppliedLimit unenforced(
      LimitKind kind, String key, Optional<String> requested, String reason) {
    return new AppliedLimit(
        kind,
        key,
        requested,
        Optional.empty(),
        Status.UNENFORCED,
        Optional.empty(),
        Optional.of(reason));
  }

  /**
   * {@code before} with {@code changes}: a limit of the same kind and key takes the place of the
   * former; in the order of {@link LimitKind}.
   */
  public static List<AppliedLimit> merge(List<AppliedLimit> before, List<AppliedLimit> changes) {
    List<AppliedLimit> all = new ArrayList<>(before);
    for (AppliedLimit change : changes) {
      all.removeIf(other -> other.kind == change.kind && other.key.equals(change.key));
      all.add(change);
    }
    all.sort((one, other) -> one.kind.compareTo(other.kind));
    return List.copyOf(all);
  }

  public boolean isEnforced() {
    return status == Status.ENFORCED;
  }
}
