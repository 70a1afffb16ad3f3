package dev.holdfast.cgroup;

import dev.holdfast.linux.RawText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which groups a process is in, from its {@code /proc/PID/cgroup} (cgroups(7)):
 *
 * <pre>
 * file        = { line "\n" }
 * line        = hierarchy ":" [ subsystem { "," subsystem } ] ":" path [ " (deleted)" ]
 * hierarchy   = number                      0 with no subsystem is v2
 * subsystem   = controller | "name=" name   a name is no controller
 * path        = "/" | { "/.." } { "/" component }
 * </pre>
 *
 * A path may hold colons and blanks; it never holds a newline. It is seen from our cgroup
 * namespace: one that begins with {@code /..} lies outside of it. Only v2 marks a removed group
 * with {@code (deleted)}.
 */
final class OwnCgroups {
  private static final Pattern CONTROLLER = Pattern.compile("[a-z][a-z0-9_]*");
  private static final String DELETED = " (deleted)";

  /**
   * A line.
   *
   * @param controllers none on v2
   * @param deleted whether the group was removed
   */
  record Entry(boolean unified, Set<String> controllers, String path, boolean deleted) {
    /** Whether our namespace does not hold it. */
    boolean isOutside() {
      return path.equals("/..") || path.startsWith("/../");
    }

    /**
     * The directory, if a mount shows it.
     *
     * @param root the group that the mount shows as its top
     */
    Optional<Path> directory(Path mount, String root) {
      if (isOutside() || deleted) {
        return Optional.empty();
      }
      return GroupPath.below(root, path).map(below -> mount.resolve(RawText.path(below)));
    }
  }

  private OwnCgroups() {}

  /** The lines that matter: v2's, and those of v1 hierarchies with controllers. */
  static List<Entry> parse(String file, String content) throws HoldfastException {
    ProcText text = ProcText.of(file, content);
    List<Entry> entries = new ArrayList<>();
    Set<Long> hierarchies = new HashSet<>();
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < text.lines().size(); i++) {
      String[] fields = text.lines().get(i).split(":", 3);
      if (fields.length < 3) {
        throw text.malformed(i, "hierarchy:controllers:path is expected");
      }
      long hierarchy = ProcText.number(fields[0]);
      if (hierarchy < 0) {
        throw text.malformed(i, "the hierarchy is not a number");
      }
      if (!hierarchies.add(hierarchy)) {
        throw text.malformed(i, "this hierarchy stands there twice");
      }
      boolean unified = hierarchy == 0;
      if (unified != fields[1].isEmpty()) {
        throw text.malformed(i, "hierarchy 0, and no other, is without controllers");
      }
      Set<String> controllers = new LinkedHashSet<>();
      for (String subsystem : fields[1].split(",", -1)) {
        if (unified || subsystem.startsWith("name=")) {
          continue;
        }
        if (!CONTROLLER.matcher(subsystem).matches()) {
          throw text.malformed(i, "a controller has no proper name");
        }
        if (!seen.add(subsystem)) {
          throw text.malformed(i, "a controller stands there twice");
        }
        controllers.add(subsystem);
      }
      String path = text.decode(i, fields[2]);
      boolean deleted = unified && path.endsWith(DELETED);
      if (deleted) {
        path = path.substring(0, path.length() - DELETED.length());
      }
      if (!GroupPath.isProper(path)) {
        throw text.malformed(i, "the path is not proper");
      }
      if (unified || !controllers.isEmpty()) {
        entries.add(new Entry(unified, controllers, path, deleted));
      }
    }
    return entries;
  }
}
