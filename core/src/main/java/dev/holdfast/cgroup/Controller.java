package dev.holdfast.cgroup;

import java.io.IOException;
import java.util.Set;

/** What one kernel controller does for a group: one class for each, and for each version. */
interface Controller {
  /** Whether it sets limits of one of these kernel controllers. */
  default boolean serves(Set<String> controllers) {
    return false;
  }

  /** Whether it is there to take limits: a v2 group has only what the group above enabled. */
  default boolean isPresent() {
    return true;
  }

  /** Sets what {@code limits} asks of it, reads that back, and reports it to {@code rows}. */
  default void apply(Limits limits, LimitRows rows) throws IOException {}

  /** Whether its {@link #usage} has the CPU time in it, nested groups included. */
  default boolean countsCpuTime() {
    return false;
  }

  /** Adds what it has counted; what the kernel does not give stays absent. */
  default void usage(Figures figures) throws IOException {}
}
