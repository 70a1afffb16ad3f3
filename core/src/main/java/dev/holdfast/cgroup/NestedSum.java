package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A counter that the kernel keeps for each group alone: v1's OOM kills, rejected forks on v1 and
 * before Linux 6.11. A job's figure is the sum over its nested groups; those that a member made and
 * removed again took their counts with them.
 */
final class NestedSum {
  private NestedSum() {}

  /**
   * The sum of {@code key} in {@code file}; empty if the kernel does not count that, or if a nested
   * group vanished unread. (One that vanished while another was there goes unnoticed: a directory
   * has one time of modification.)
   */
  static OptionalLong of(Branch branch, String file, String key) throws IOException {
    return of(branch, file, key, branch.directory().readIfPresent(file));
  }

  /** As above, where the group's own file was read already. */
  static OptionalLong of(Branch branch, String file, String key, @Nullable String text)
      throws IOException {
    OptionalLong departed = branch.departed(file);
    OptionalLong own = FlatKeyed.value(text, key);
    if (own.isEmpty() || departed.isEmpty()) {
      return OptionalLong.empty();
    }
    try {
      if (branch.isPlain()) {
        return OptionalLong.of(own.getAsLong() + departed.getAsLong());
      }
      List<String> nested = branch.directory().subdirectories();
      if (nested.isEmpty() && branch.changedByOthers()) {
        return OptionalLong.empty();
      }
      return Figures.sum(
          nested(branch.directory(), file, key), own.getAsLong() + departed.getAsLong());
    } catch (IOException failure) {
      if (Refusal.isGone(failure)) { // removed while we read: nothing is known any more
        return OptionalLong.empty();
      }
      throw failure;
    }
  }

  /** Hands the counts of a group that is about to be removed to the group above it. */
  static void depart(Branch branch, Branch above) throws IOException {
    if (!above.sums()) {
      return;
    }
    if (branch.holds("memory")) {
      above.depart("memory.oom_control", of(branch, "memory.oom_control", "oom_kill"));
    }
    boolean v2 = branch.unified();
    if (branch.holds("pids") || (v2 && Pids.countsAlone(branch))) {
      above.depart("pids.events", of(branch, "pids.events", "max"));
    }
  }

  /** Empty if there was no time to look at all of them. */
  private static OptionalLong nested(Directory top, String file, String key) throws IOException {
    long[] sum = {0};
    Nested.Visitor add =
        new Nested.Visitor() {
          @Override
          public void at(Directory group) throws IOException {
            if (group != top) {
              sum[0] += FlatKeyed.value(group.readIfPresent(file), key).orElse(0);
            }
          }
        };
    return Nested.walk(top, add) ? OptionalLong.of(sum[0]) : OptionalLong.empty();
  }
}
