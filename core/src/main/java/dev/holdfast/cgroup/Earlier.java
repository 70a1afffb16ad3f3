package dev.holdfast.cgroup;

import java.util.Optional;

/**
 * What calls before this one asked of a group: a change sets nothing that is only implied where it
 * was asked for otherwise.
 *
 * @param fresh whether the group is as the kernel made it
 * @param any whether there was one at all
 * @param swap by what the group's swap was set last; empty if by nothing but what a memory limit
 *     implies
 */
record Earlier(boolean fresh, boolean any, Optional<Limits.Request> swap) {
  /** Of a group that we made. */
  static final Earlier NONE = new Earlier(true, false, Optional.empty());

  /** Of a group that was there already. */
  static final Earlier UNKNOWN = new Earlier(false, false, Optional.empty());

  Earlier and(Limits limits) {
    Optional<Limits.Request> last = swap;
    for (Limits.Request request : limits.requests()) {
      if (request.kind() == LimitKind.SWAP
          || request.isFor(LimitKind.SET, MemoryV2.SWAP_MAX)
          || request.isFor(LimitKind.SET, MemoryV1.MEMSW)) {
        last = Optional.of(request);
      }
    }
    return new Earlier(false, true, last);
  }

  /** One failed, and may have left something changed. */
  Earlier andFailure() {
    return new Earlier(false, any, swap);
  }

  /** A limit for swap that was asked for as such. */
  Optional<Limits.Request> swapLimit() {
    return swap.filter(request -> request.kind() == LimitKind.SWAP);
  }

  /** Whether swap was set by the name of the kernel's file: then it is not our matter. */
  boolean rawSwap() {
    return swap.isPresent() && swapLimit().isEmpty();
  }
}
