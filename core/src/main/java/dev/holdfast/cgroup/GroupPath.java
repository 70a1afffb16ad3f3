package dev.holdfast.cgroup;

import java.util.Optional;

/** Paths of groups as the kernel writes them: from the root of our cgroup namespace. */
final class GroupPath {
  private GroupPath() {}

  /**
   * Whether {@code path} is one that the kernel writes: {@code "/" | { "/.." } { "/" component }}.
   */
  static boolean isProper(String path) {
    if (path.equals("/")) {
      return true;
    }
    if (!path.startsWith("/")) {
      return false;
    }
    boolean climbing = true;
    for (String component : path.substring(1).split("/", -1)) {
      boolean up = component.equals("..");
      if (component.isEmpty() || component.equals(".") || (up && !climbing)) {
        return false;
      }
      climbing = up;
    }
    return true;
  }

  /**
   * The way from {@code top} down to {@code path}, without a slash before it; empty text if they
   * are the same, nothing if {@code path} is not below.
   */
  static Optional<String> below(String top, String path) {
    if (path.equals(top)) {
      return Optional.of("");
    }
    String prefix = top.endsWith("/") ? top : top + "/";
    if (!path.startsWith(prefix)) {
      return Optional.empty();
    }
    String rest = path.substring(prefix.length());
    // From "/.." down to "/../.." there is no way down.
    return rest.equals("..") || rest.startsWith("../") ? Optional.empty() : Optional.of(rest);
  }

  /** The last component; empty for the root. */
  static String last(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
