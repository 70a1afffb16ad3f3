package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.SliceName;
import java.nio.charset.StandardCharsets;
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
 * <p>It never leaves the directory that it is taken from: {@code ..} is refused. Immutable.
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
   * Parses either form.
   *
   * @throws IllegalArgumentException with what is wrong
   */
  public static CgroupsPath parse(String text) {
    boolean systemd = text.indexOf(':') >= 0 && text.indexOf('/') < 0;
    List<String> components = systemd ? units(text) : names(text);
    for (String name : components) {
      check(name, text);
    }
    return new CgroupsPath(text, systemd, components);
  }

  /** The directory of the group in a hierarchy, or a part of one, whose top is {@code root}. */
  public Path below(Path root) {
    return root.resolve(String.join("/", components));
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

  private static List<String> units(String text) {
    String[] parts = text.split(":", -1);
    if (parts.length != 3 || parts[2].isEmpty()) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is neither a path nor SLICE:PREFIX:NAME, such as user.slice:job:17");
    }
    List<String> units = parts[0].isEmpty() ? new ArrayList<>() : slices(parts[0], text);
    if (parts[2].endsWith(SLICE)) {
      units = slices(parts[2], text); // its name says where it lies
    } else {
      units.add((parts[1].isEmpty() ? "" : parts[1] + "-") + parts[2] + ".scope");
    }
    if (units.isEmpty()) {
      throw new IllegalArgumentException("\"" + text + "\" names no group below the root");
    }
    return units;
  }

  private static List<String> slices(String slice, String text) {
    if (!SliceName.isValid(slice)) {
      throw new IllegalArgumentException(
          "\"" + slice + "\" in \"" + text + "\" is no slice, such as user.slice or a-b.slice");
    }
    String way = SliceName.path(slice);
    return way.equals("/") ? new ArrayList<>() : names(way);
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
