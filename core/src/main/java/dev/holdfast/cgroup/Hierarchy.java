package dev.holdfast.cgroup;

import dev.holdfast.linux.RawText;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A cgroup hierarchy as it is mounted here.
 *
 * @param unified whether it is v2
 * @param mount where it is mounted
 * @param root which group of the hierarchy the mount shows as its top: {@code /} unless it is a
 *     bind mount or we are in a cgroup namespace
 * @param controllers v1: those it holds; v2: those its root offers ({@code cgroup.controllers})
 * @param ownPath our own group in it, as the kernel names it
 * @param own the directory of that group, empty if it lies outside of what the mount shows
 */
public record Hierarchy(
    boolean unified,
    Path mount,
    String root,
    Set<String> controllers,
    String ownPath,
    Optional<Path> own) {
  public Hierarchy {
    controllers = Set.copyOf(controllers);
  }

  /** Written out, as is {@link #hashCode}: those that the JVM makes up cost the first use 4 ms. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Hierarchy that
        && unified == that.unified
        && mount.equals(that.mount)
        && root.equals(that.root)
        && controllers.equals(that.controllers)
        && ownPath.equals(that.ownPath)
        && own.equals(that.own);
  }

  @Override
  public int hashCode() {
    return mount.hashCode();
  }

  /** {@code unified}, or the controllers of a v1 hierarchy joined by commas in their own order. */
  public String name() {
    return unified ? "unified" : String.join(",", new java.util.TreeSet<>(controllers));
  }

  /** The kernel's name for the group at {@code directory}, which lies below {@link #mount}. */
  public String pathOf(Path directory) {
    String below = RawText.text(mount.relativize(directory));
    String top = root.equals("/") ? "" : root;
    return below.isEmpty() ? (top.isEmpty() ? "/" : top) : top + "/" + below;
  }
}
