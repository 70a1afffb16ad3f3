package dev.holdfast.cgroup;

import java.util.regex.Pattern;

/**
 * Names of systemd's slices, which say where the slice lies (systemd.slice(5)): {@code a-b.slice}
 * is in {@code a.slice}, and {@code -.slice} is the root.
 *
 * <pre>
 * name = "-.slice" | part { "-" part } ".slice"
 * part = one or more letters, digits and : _ . \ @
 * </pre>
 */
public final class SliceName {
  private static final String SUFFIX = ".slice";
  private static final int LONGEST = 255;
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9:_.\\\\@]+(-[A-Za-z0-9:_.\\\\@]+)*");

  private SliceName() {}

  /** Whether it names a slice. */
  public static boolean isValid(String name) {
    return name.equals("-" + SUFFIX)
        || (name.endsWith(SUFFIX)
            && name.length() <= LONGEST
            && NAME.matcher(name.substring(0, name.length() - SUFFIX.length())).matches()
            // A slice without a name of its own would be a hidden file, or lead elsewhere.
            && !name.startsWith("."));
  }

  /**
   * Where the slice lies, from the root of whoever manages it: {@code /a.slice/a-b.slice} for
   * {@code a-b.slice}, {@code /} for {@code -.slice}.
   *
   * @throws IllegalArgumentException if it names no slice: {@code a--b.slice}, {@code -a.slice},
   *     {@code a/b.slice}, {@code a}
   */
  public static String path(String name) {
    if (!isValid(name)) {
      throw new IllegalArgumentException(
          "\""
              + name
              + "\" is no name of a slice: it is parts of letters, digits and : _ . \\ @ with single"
              + " dashes between them, and ends in "
              + SUFFIX);
    }
    if (name.equals("-" + SUFFIX)) {
      return "/";
    }
    StringBuilder path = new StringBuilder();
    int end = name.length() - SUFFIX.length();
    for (int dash = name.indexOf('-');
        dash >= 0 && dash < end;
        dash = name.indexOf('-', dash + 1)) {
      path.append('/').append(name, 0, dash).append(SUFFIX);
    }
    return path.append('/').append(name).toString();
  }
}
