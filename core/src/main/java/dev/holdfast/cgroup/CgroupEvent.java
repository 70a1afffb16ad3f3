package dev.holdfast.cgroup;

/**
 * Something that happened in a group. Immutable.
 *
 * @param kind what
 * @param count how often by now, since the group was made; 1 for what is a state
 */
public record CgroupEvent(Kind kind, long count) {
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
    /** Swap was about to go over its limit. */
    SWAP_MAX,
    /** A fork was rejected. */
    PIDS_REJECTED
  }
}
