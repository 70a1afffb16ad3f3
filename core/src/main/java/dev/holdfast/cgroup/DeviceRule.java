package dev.holdfast.cgroup;

import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Allows or denies access to devices. Immutable.
 *
 * @param allow whether it allows
 * @param type block devices, character devices, or both
 * @param major the driver's number; empty for all
 * @param minor the device's number with its driver; empty for all
 * @param access what is allowed or denied; not empty
 */
public record DeviceRule(
    boolean allow, Type type, OptionalInt major, OptionalInt minor, Set<Access> access) {

  /** What kind of device. */
  public enum Type {
    ALL,
    BLOCK,
    CHARACTER;

    /** {@code a}, {@code b} or {@code c}. */
    public char letter() {
      return Character.toLowerCase(name().charAt(0));
    }
  }

  /** What is done with a device. */
  public enum Access {
    READ(2),
    WRITE(4),
    /** Making a node for it in a filesystem. */
    MKNOD(1);

    /** As in {@code BPF_DEVCG_ACC_…}. */
    final int bit;

    Access(int bit) {
      this.bit = bit;
    }

    /** {@code r}, {@code w} or {@code m}. */
    public char letter() {
      return Character.toLowerCase(name().charAt(0));
    }
  }

  /** The kernel has 12 bits for the major number. */
  public static final int GREATEST_MAJOR = (1 << 12) - 1;

  /** The kernel has 20 bits for the minor number. */
  public static final int GREATEST_MINOR = (1 << 20) - 1;

  /** All {@link Access#bit}s. */
  static final int ALL_ACCESS = 7;

  private static final Pattern NUMBERED =
      Pattern.compile("([abc])\\s+(\\*|[0-9]{1,7}):(\\*|[0-9]{1,7})\\s+([rwm]{1,3})");
  private static final Pattern NAMED = Pattern.compile("(/.*\\S)\\s+([rwm]{1,3})");

  public DeviceRule {
    if (access.isEmpty()) {
      throw new IllegalArgumentException("a device rule has at least one of r, w and m");
    }
    check("major", major, GREATEST_MAJOR);
    check("minor", minor, GREATEST_MINOR);
    access = Collections.unmodifiableSet(EnumSet.copyOf(access));
  }

  private static void check(String what, OptionalInt number, int greatest) {
    if (number.isPresent() && (number.getAsInt() < 0 || number.getAsInt() > greatest)) {
      throw new IllegalArgumentException(
          number.getAsInt() + " is no " + what + " number of a device: give 0 to " + greatest);
    }
  }

  /**
   * Parses a rule of the command line, the words apart by blanks:
   *
   * <pre>
   * rule   = ["!"] ( "a" | type " " major ":" minor " " access | path " " access )
   * type   = "a" | "b" | "c"           block devices, character devices, a for both
   * major  = "*" | number              minor likewise
   * access = letters of "rwm"          reading, writing, making a node
   * </pre>
   *
   * {@code !} denies. {@code a} alone stands for {@code a *:* rwm}. A path is absolute, and is
   * looked up now.
   *
   * @throws IllegalArgumentException with what is wrong
   */
  public static DeviceRule parse(String text) {
    String rest = text.strip();
    boolean allow = !rest.startsWith("!");
    if (!allow) {
      rest = rest.substring(1).stripLeading();
    }
    if (rest.equals("a")) {
      return of(allow, Type.ALL, OptionalInt.empty(), OptionalInt.empty(), ALL_ACCESS);
    }
    Matcher numbered = NUMBERED.matcher(rest);
    if (numbered.matches()) {
      return of(
          allow,
          type(numbered.group(1)),
          number(numbered.group(2)),
          number(numbered.group(3)),
          mask(numbered.group(4), text));
    }
    Matcher named = NAMED.matcher(rest);
    if (named.matches()) {
      return lookUp(allow, Path.of(named.group(1)), mask(named.group(2), text));
    }
    throw new IllegalArgumentException(
        "\""
            + text
            + "\" is no device rule: give one such as \"c 1:3 rwm\", \"!b *:* w\" or \"/dev/null"
            + " rw\"");
  }

  private static Type type(String letter) {
    return switch (letter) {
      case "b" -> Type.BLOCK;
      case "c" -> Type.CHARACTER;
      default -> Type.ALL;
    };
  }

  private static OptionalInt number(String text) {
    return text.equals("*") ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(text));
  }

  private static int mask(String letters, String text) {
    int mask = 0;
    for (Access access : Access.values()) {
      int first = letters.indexOf(access.letter());
      if (first >= 0) {
        mask |= access.bit;
        if (letters.indexOf(access.letter(), first + 1) >= 0) {
          throw new IllegalArgumentException(
              "\"" + text + "\" has \"" + access.letter() + "\" more than once");
        }
      }
    }
    return mask;
  }

  private static DeviceRule lookUp(boolean allow, Path path, int mask) {
    DeviceNode node = DeviceNode.at(path);
    return of(allow, node.type(), OptionalInt.of(node.major()), OptionalInt.of(node.minor()), mask);
  }

  static DeviceRule of(boolean allow, Type type, OptionalInt major, OptionalInt minor, int mask) {
    Set<Access> access = EnumSet.noneOf(Access.class);
    for (Access one : Access.values()) {
      if ((mask & one.bit) != 0) {
        access.add(one);
      }
    }
    return new DeviceRule(allow, type, major, minor, access);
  }

  /** Whether it is about this device; a number that no rule names matches {@code *} alone. */
  boolean matches(Type otherType, int otherMajor, int otherMinor) {
    return (type == Type.ALL || type == otherType)
        && (major.isEmpty() || major.getAsInt() == otherMajor)
        && (minor.isEmpty() || minor.getAsInt() == otherMinor);
  }

  /** Whether no rule before it counts any more. */
  boolean isAboutAll() {
    return type == Type.ALL && major.isEmpty() && minor.isEmpty() && mask() == ALL_ACCESS;
  }

  int mask() {
    int mask = 0;
    for (Access one : access) {
      mask |= one.bit;
    }
    return mask;
  }

  /** Without the verdict, as the kernel's {@code devices.list} has it: {@code c 1:* rw}. */
  String scope() {
    StringBuilder text = new StringBuilder().append(type.letter()).append(' ');
    append(text, major).append(':');
    append(text, minor).append(' ');
    for (Access one : access) {
      text.append(one.letter());
    }
    return text.toString();
  }

  private static StringBuilder append(StringBuilder text, OptionalInt number) {
    return number.isPresent() ? text.append(number.getAsInt()) : text.append('*');
  }

  /** As {@link #parse} takes it. */
  @Override
  public String toString() {
    return (allow ? "" : "!") + scope();
  }
}
