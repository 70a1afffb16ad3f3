package dev.holdfast.cgroup;

import java.util.Optional;

/**
 * A limit as the kernel took it. Immutable.
 *
 * @param kind what is limited
 * @param requested as the caller worded it; empty if the limit is implied by another (swap 0 under
 *     a memory limit)
 * @param effective what the kernel gives back; empty if it is not enforced
 * @param status whether it holds
 * @param by the file that holds it, such as {@code memory.max}
 * @param reason why it does not hold
 */
public record AppliedLimit(
    LimitKind kind,
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

  public static AppliedLimit enforced(
      LimitKind kind, Optional<String> requested, LimitValue effective, String by) {
    return new AppliedLimit(
        kind,
        requested,
        Optional.of(effective),
        Status.ENFORCED,
        Optional.of(by),
        Optional.empty());
  }

  public static AppliedLimit unenforced(LimitKind kind, Optional<String> requested, String reason) {
    return new AppliedLimit(
        kind,
        requested,
        Optional.empty(),
        Status.UNENFORCED,
        Optional.empty(),
        Optional.of(reason));
  }

  public boolean isEnforced() {
    return status == Status.ENFORCED;
  }
}
