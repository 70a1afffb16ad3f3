package dev.holdfast.cgroup;

import dev.holdfast.linux.AnyMode;
import dev.holdfast.linux.Deadline;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Goes through the groups nested in one. Members may nest them as deep as they like, so there are
 * never more than two of them open: the way back is {@code ..}. What is mounted on one is left out.
 */
final class Nested {
  /** What going through all may take, whoever else waits for something. */
  static final Duration PATIENCE = Duration.ofSeconds(2);

  /** What is done on the way. A group that vanishes meanwhile is left out. */
  interface Visitor {
    /** Before {@code name} in {@code above} is opened; false to leave it out. */
    default boolean into(Directory above, String name) throws IOException {
      return true;
    }

    /** In each group, the topmost included, before those nested in it. */
    default void at(Directory group) throws IOException {}

    /** Whether there is no need to go on. */
    default boolean isDone() {
      return false;
    }

    /** After {@code name} in {@code above} and all below it. */
    default void after(Directory above, String name) throws IOException {}
  }

  private record Level(String name, Iterator<String> nested) {}

  private final Directory top;
  private final Visitor visitor;
  private final List<Level> way = new ArrayList<>();
  private Directory here;

  private Nested(Directory top, Visitor visitor) {
    this.top = top;
    this.visitor = visitor;
    this.here = top;
  }

  /**
   * Visits {@code top} and all that is nested in it, until the visitor is done; false if there is
   * more after {@link #PATIENCE}, as members can make groups faster than anybody goes through them.
   */
  static boolean walk(Directory top, Visitor visitor) throws IOException {
    return walkUntil(top, visitor, Deadline.in(PATIENCE));
  }

  /** As {@link #walk(Directory, Visitor)}, or until {@code deadline} if that is later. */
  static boolean walk(Directory top, Visitor visitor, long deadline) throws IOException {
    long least = Deadline.in(PATIENCE);
    return walkUntil(top, visitor, deadline - least > 0 ? deadline : least);
  }

  /** As {@link #walk(Directory, Visitor)}, but until {@code deadline}. */
  static boolean walkUntil(Directory top, Visitor visitor, long deadline) throws IOException {
    Nested walk = new Nested(top, visitor);
    try {
      return walk.all(deadline);
    } finally {
      walk.leave(top);
    }
  }

  /** Whether a group could not be opened since it is gone, or something is mounted on it. */
  static boolean isNotThere(IOException failure) {
    return Refusal.isGone(failure) || Refusal.errno(failure) == Errno.EXDEV;
  }

  /**
   * Opens a nested group, even one whose maker (with our identity) took away its mode. EXDEV: what
   * is mounted on it was not made there, but anywhere else.
   */
  static Directory open(Directory above, String name) throws IOException {
    Directory nested = AnyMode.open(above, name);
    try {
      if (nested.mount() == above.mount()) {
        return nested;
      }
    } catch (IOException failure) {
      nested.close();
      throw failure;
    }
    nested.close();
    throw new SystemCallException("openat", above.path(name).toString(), Errno.EXDEV);
  }

  private boolean all(long deadline) throws IOException {
    visitor.at(top);
    way.add(new Level("", top.subdirectories().iterator()));
    while (!visitor.isDone()) {
      if (deadline - System.nanoTime() <= 0) {
        return false;
      }
      Level level = way.getLast();
      if (level.nested().hasNext()) {
        enter(level.nested().next());
        continue;
      }
      way.removeLast();
      if (way.isEmpty()) {
        return true;
      }
      if (ascend()) {
        unlessGone(() -> visitor.after(here, level.name()));
      }
    }
    return true;
  }

  private void enter(String name) throws IOException {
    unlessGone(() -> {
      if (visitor.into(here, name)) {
        Directory below = open(here, name);
        leave(below);
        // From here on we are in it, whatever happens: so the way must say so.
        way.add(new Level(name, List.<String>of().iterator()));
        visitor.at(below);
        way.set(way.size() - 1, new Level(name, below.subdirectories().iterator()));
      }
    });
  }

  /** False if the group above is gone, with all that was to be done in it. */
  private boolean ascend() throws IOException {
    Directory above = way.size() == 1 ? top : aboveOrNull(here);
    if (above != null) {
      leave(above);
      return true;
    }
    // Then the way is gone on from the top, as far as it still is there.
    leave(top);
    for (int i = 1; i < way.size(); i++) {
      String name = way.get(i).name();
      int last = i;
      if (!unlessGone(() -> leave(open(here, name)))) {
        way.subList(last, way.size()).clear();
        return false;
      }
    }
    return true;
  }

  private void leave(Directory next) {
    if (here != top && here != next) {
      here.close();
    }
    here = next;
  }

  private static @Nullable Directory aboveOrNull(Directory group) throws IOException {
    try {
      return group.above();
    } catch (IOException failure) {
      if (Refusal.isGone(failure)) {
        return null;
      }
      throw failure;
    }
  }

  @FunctionalInterface
  private interface Step {
    void take() throws IOException;
  }

  private static boolean unlessGone(Step step) throws IOException {
    try {
      step.take();
      return true;
    } catch (IOException failure) {
      if (isNotThere(failure)) {
        return false;
      }
      throw failure;
    }
  }
}
