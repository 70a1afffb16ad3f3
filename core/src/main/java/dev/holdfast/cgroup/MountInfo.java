package dev.holdfast.cgroup;

import dev.holdfast.linux.RawText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The mounts of control groups, from {@code /proc/PID/mountinfo} (proc_pid_mountinfo(5)):
 *
 * <pre>
 * file     = { line "\n" }
 * line     = id " " parent " " major ":" minor " " root " " mount " " options { " " optional }
 *            " - " type " " source " " superoptions
 * options  = option { "," option }
 * optional = tag [ ":" value ]              shared:5, master:5, propagate_from:5, unbindable
 * </pre>
 *
 * In root, mount and source a blank, tab, newline, number sign and backslash stand as a backslash
 * and three octal digits. The root of a cgroup mount is a group's path: {@code /} for the whole
 * hierarchy (or that of our namespace), longer for a bind mount, and with {@code /..} for one that
 * shows more than our namespace holds. The super options of a v1 mount name its controllers.
 */
final class MountInfo {
  private static final Pattern OCTAL = Pattern.compile("[0-3][0-7]{2}");

  /**
   * A mount of control groups that can be reached.
   *
   * @param root the group that it shows as its top
   * @param features v1: its super options, with the controllers among them
   */
  record Mount(boolean unified, String root, Path point, Set<String> features, boolean readOnly) {}

  private record Line(String id, String parent, String point) {}

  private MountInfo() {}

  /** The mounts of control groups that no other mount hides, in the file's order. */
  static List<Mount> parse(String file, String content) throws HoldfastException {
    ProcText text = ProcText.of(file, content);
    List<Line> all = new ArrayList<>();
    List<Line> candidates = new ArrayList<>();
    List<Mount> mounts = new ArrayList<>();
    for (int i = 0; i < text.lines().size(); i++) {
      // An empty source makes two blanks: fields may be empty.
      String[] fields = text.lines().get(i).split(" ", -1);
      int dash = 6;
      while (dash < fields.length && !fields[dash].equals("-")) {
        dash++;
      }
      if (fields.length < dash + 4) {
        throw text.malformed(i, "it has too few fields");
      }
      if (ProcText.number(fields[0]) < 0 || ProcText.number(fields[1]) < 0) {
        throw text.malformed(i, "a mount's id is not a number");
      }
      Line line = new Line(fields[0], fields[1], fields[4]);
      all.add(line);
      String type = fields[dash + 1];
      if ((type.equals("cgroup") || type.equals("cgroup2")) && !fields[4].endsWith("//deleted")) {
        candidates.add(line);
        mounts.add(
            mount(text, i, type.equals("cgroup2"), fields, fields[fields.length - 1].split(",")));
      }
    }
    List<Mount> visible = new ArrayList<>();
    for (int i = 0; i < mounts.size(); i++) {
      if (!isHidden(candidates.get(i), all)) {
        visible.add(mounts.get(i));
      }
    }
    return visible;
  }

  private static Mount mount(
      ProcText text, int i, boolean unified, String[] fields, String[] superOptions)
      throws HoldfastException {
    String root = text.decode(i, unescape(text, i, fields[3]));
    String point = text.decode(i, unescape(text, i, fields[4]));
    if (!GroupPath.isProper(root)) {
      throw text.malformed(i, "the root is not proper");
    }
    if (!GroupPath.isProper(point) || point.equals("/..") || point.startsWith("/../")) {
      throw text.malformed(i, "the mount point is not proper");
    }
    boolean readOnly =
        Set.copyOf(List.of(fields[5].split(","))).contains("ro")
            || Set.copyOf(List.of(superOptions)).contains("ro");
    return new Mount(
        unified, root, RawText.path(point), Set.copyOf(List.of(superOptions)), readOnly);
  }

  /**
   * Whether a path no longer leads to the mount: another covers it, or covers a directory on the
   * way to it. A mount's parent is the mount that its mount point is in.
   */
  private static boolean isHidden(Line mount, List<Line> all) {
    for (Line other : all) {
      if (other.parent().equals(mount.id())
          && !other.id().equals(mount.id())
          && other.point().equals(mount.point())) {
        return true;
      }
    }
    Map<String, Line> byId = new HashMap<>();
    all.forEach(line -> byId.put(line.id(), line));
    Line child = mount;
    for (int depth = 0; depth < all.size(); depth++) {
      Line parent = byId.get(child.parent());
      if (parent == null || parent.id().equals(child.id())) {
        return false;
      }
      for (Line other : all) {
        if (!other.id().equals(child.id())
            && other.parent().equals(parent.id())
            && !other.point().equals(child.point())
            && !other.id().equals(parent.id())
            && GroupPath.below(other.point(), child.point()).isPresent()) {
          return true;
        }
      }
      child = parent;
    }
    return false;
  }

  private static String unescape(ProcText text, int i, String field) throws HoldfastException {
    if (field.indexOf('\\') < 0) {
      return field;
    }
    StringBuilder plain = new StringBuilder();
    for (int at = 0; at < field.length(); at++) {
      char c = field.charAt(at);
      if (c == '\\') {
        String digits = field.substring(at + 1, Math.min(at + 4, field.length()));
        if (!OCTAL.matcher(digits).matches()) {
          throw text.malformed(i, "a backslash is not followed by three octal digits");
        }
        c = (char) Integer.parseInt(digits, 8);
        at += 3;
      }
      plain.append(c);
    }
    return plain.toString();
  }
}
