package dev.holdfast.cgroup;

import java.util.Optional;

/**
 * Something that happened in a group. Immutable.
 *
 * @param kind what
 * @param subject which of several: the size of page, such as {@code 2MB}, of {@link
 *     Kind#HUGETLB_MAX}, and the resource of {@link Kind#MISC_MAX}
 * @param count how often by now, since the group was made; 1 for what is a state
 */
public record CgroupEvent(Kind kind, Optional<String> subject, long count) {
  /** What can happen. */
  public enum Kind {
    /** The group has a member again. */
    POPULATED,
    /** The last member has gone, in nested groups too. */
    EMPTY,
    /** Every member has stopped. */
    FROZEN,
    /** They go on. */
    THAWED,
    /** The kernel killed a process for want of memory; on v1 it is about to. */
    OOM_KILL,
    /** The whole group was killed for want of memory. */
    OOM_GROUP_KILL,
    /** Memory was about to go over the hard limit. */
    MEMORY_MAX,
    /** Memory went over memory-high, and members were slowed down. */
    MEMORY_HIGH,
    /** Memory below memory-low was reclaimed. */
    MEMORY_LOW,
    /** Swap went over swap-high, and members were slowed down. */
    SWAP_HIGH,
    /** Swap was about to go over its limit. */
    SWAP_MAX,
    /** There was no swap to be had: for its limit, or because there is no more. */
    SWAP_FAIL,
    /** A fork was rejected. */
    PIDS_REJECTED,
    /** Huge pages were about to go over their limit. */
    HUGETLB_MAX,
    /** A resource of the misc controller was about to go over its limit. */
    MISC_MAX
  }

  CgroupEvent(Kind kind, long count) {
    this(kind, Optional.empty(), count);
  }
}
