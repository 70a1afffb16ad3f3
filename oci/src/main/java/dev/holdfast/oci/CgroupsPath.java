package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.SliceName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where {@code linux.cgroupsPath} wants the group, in one of two forms:
 *
 * <pre>
 * cgroupfs = ["/"] name { "/" name }         from the root, or from wherever the runtime likes
 * systemd  = [slice] ":" [prefix] ":" name   no slash in it
 * </pre>
 *
 * <p>Without a slice it is {@code system.slice} for root and {@code user.slice} for others, as
 * runtimes have it. It never leaves the directory that it is taken from: {@code ..} is refused.
 * {@link OciGroups} makes the group. Immutable.
 *
 * @param text as the document has it
 * @param systemd whether it is of systemd's form
 * @param components the names on the way down from the root of the hierarchy
 */
public record CgroupsPath(String text, boolean systemd, List<String> components) {
  private static final String SLICE = ".slice";
  private static final int LONGEST_NAME = 255;

  public CgroupsPath {
    components = List.copyOf(components);
  }

  static CgroupsPath read(Node node) throws HoldfastException {
    String text = node.required().text().orElseThrow();
    try {
      return parse(text);
    } catch (IllegalArgumentException wrong) {
      throw Wrong.at(node.path(), String.valueOf(wrong.getMessage()), wrong);
    }
  }

  /**
   * Parses either form, for whoever we run as.
   *
   * @throws IllegalArgumentException with what is wrong
   */
  public static CgroupsPath parse(String text) {
    return parse(text, isRoot());
  }

  /**
   * Parses either form.
   *
   * @param root whether it is root's
   * @throws IllegalArgumentException with what is wrong
   */
  public static CgroupsPath parse(String text, boolean root) {
    boolean systemd = text.indexOf(':') >= 0 && text.indexOf('/') < 0;
    List<String> components = systemd ? units(text, root) : names(text);
    for (String name : components) {
      check(name, text);
    }
    return new CgroupsPath(text, systemd, components);
  }

  /** The directory of the group in a hierarchy, or a part of one, whose top is {@code root}. */
  public Path below(Path root) {
    return root.resolve(String.join("/", components));
  }

  private static boolean isRoot() {
    try {
      return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException | UnsupportedOperationException notLinux) {
      return false;
    }
  }

  private static List<String> names(String text) {
    List<String> names = new ArrayList<>();
    for (String name : text.split("/", -1)) {
      if (!name.isEmpty()) {
        names.add(name);
      }
    }
    if (names.isEmpty()) {
      throw new IllegalArgumentException("\"" + text + "\" names no group below the root");
    }
    return names;
  }

  private static List<String> units(String text, boolean root) {
    String[] parts = text.split(":", -1);
    if (parts.length != 3 || parts[2].isEmpty()) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is neither a path nor SLICE:PREFIX:NAME, such as user.slice:job:17");
    }
    String slice = parts[0].isEmpty() ? (root ? "system.slice" : "user.slice") : parts[0];
    if (parts[2].endsWith(SLICE)) {
      slice = parts[2]; // its name says where it lies
    }
    if (!SliceName.isValid(slice)) {
      throw new IllegalArgumentException(
          "\"" + slice + "\" in \"" + text + "\" is no slice, such as user.slice or a-b.slice");
    }
    String path = SliceName.path(slice);
    return names(
        slice.equals(parts[2])
            ? path
            : path + "/" + (parts[1].isEmpty() ? "" : parts[1] + "-") + parts[2] + ".scope");
  }

  private static void check(String name, String text) {
    if (name.equals(".") || name.equals("..")) {
      throw new IllegalArgumentException(
          "\"" + text + "\" leads out of where it begins: leave \"" + name + "\" out");
    }
    // What has no UTF-8, as half of a character, has no file of that name either.
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)
        || name.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME
        || name.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "a name in it is longer than 255 bytes, has control characters, or is no proper text");
    }
  }
}
