package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Takes back what was changed before a limit was refused, the last first: so the group passes
 * through the states by which it came, none of which was tighter than both ends.
 *
 * <p>Not thread-safe.
 */
final class Rollback {
  /** A change that is taken back otherwise than by writing a file. */
  @FunctionalInterface
  interface Step {
    void run() throws IOException;
  }

  private record Change(
      String name, @Nullable Directory group, @Nullable String former, @Nullable Step back) {

    /** Whether it is as it was. */
    boolean undo() throws IOException {
      if (back != null) {
        back.run();
        return true;
      }
      if (group == null || former == null) {
        return false;
      }
      group.write(name, former);
      return true;
    }
  }

  private final List<Change> changes = new ArrayList<>();

  /**
   * The {@code file} was written.
   *
   * @param former what it held before; null if that is not known
   */
  void wrote(Directory group, String file, @Nullable String former) {
    changes.add(new Change(file, group, former == null ? null : line(former), null));
  }

  /**
   * Something else was changed.
   *
   * @param name as messages have it
   * @param back null if it cannot be taken back
   */
  void changed(String name, @Nullable Step back) {
    changes.add(new Change(name, null, null, back));
  }

  /** Takes everything back; the failure says what could not be. */
  HoldfastException after(HoldfastException failure) {
    Set<String> left = new LinkedHashSet<>();
    List<IOException> reasons = new ArrayList<>();
    for (Change change : changes.reversed()) {
      try {
        if (!change.undo()) {
          left.add(change.name());
        }
      } catch (IOException refused) {
        left.add(change.name());
        reasons.add(refused);
      }
    }
    changes.clear();
    if (left.isEmpty()) {
      return failure;
    }
    HoldfastException told =
        new HoldfastException(
            failure.what(),
            failure.why() + "; what was set before stays changed in " + String.join(", ", left),
            failure.remedy(),
            failure.getCause());
    reasons.forEach(told::addSuppressed);
    return told;
  }

  /**
   * As the kernel takes it back: an empty list, as of a cpuset, is an empty line, since nothing at
   * all would be no write; of several lines each is for something else. Null if it does not.
   */
  private static @Nullable String line(String former) {
    String text = former.strip();
    return text.isEmpty() ? "\n" : text.indexOf('\n') < 0 ? text : null;
  }
}
