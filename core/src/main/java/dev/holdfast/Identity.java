package dev.holdfast;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Who runs a command.
 *
 * @param uid the user id
 * @param gid the primary group id
 * @param groups the supplementary group ids
 */
public record Identity(int uid, int gid, List<Integer> groups) {
  public Identity {
    groups = List.copyOf(groups);
    // setresuid(2) takes −1 for "as it is", which would leave a command with our own identity.
    if (uid == -1 || gid == -1 || groups.contains(-1)) {
      throw new IllegalArgumentException(
          "not an identity: user " + uid + ", group " + gid + ", groups " + groups);
    }
  }

  /**
   * Looks a user up in {@code /etc/passwd} and {@code /etc/group}: {@code NAME}, {@code UID}, or
   * either with {@code :GROUP} or {@code :GID}. A number that the files do not know is taken as it
   * is, without supplementary groups.
   *
   * @throws IllegalArgumentException if there is no such user or group
   */
  public static Identity lookup(String text) throws IOException {
    return lookup(text, Path.of("/etc"));
  }

  static Identity lookup(String text, Path etc) throws IOException {
    int colon = text.indexOf(':');
    String user = colon < 0 ? text : text.substring(0, colon);
    // passwd(5): name:password:UID:GID:comment:directory:shell
    List<String[]> users = table(etc.resolve("passwd"));
    // group(5): name:password:GID:member,member
    List<String[]> groups = table(etc.resolve("group"));
    String[] entry = find(users, user, 7);
    if (entry == null && !isNumber(user)) {
      throw new IllegalArgumentException("there is no user \"" + user + "\" in /etc/passwd");
    }
    int uid = Integer.parseInt(entry == null ? user : entry[2]);
    int gid;
    if (colon >= 0) {
      gid = group(groups, text.substring(colon + 1));
    } else if (entry != null) {
      gid = Integer.parseInt(entry[3]);
    } else {
      throw new IllegalArgumentException(
          "user " + user + " is not in /etc/passwd, so give its group too: " + user + ":GID");
    }
    if (entry == null) {
      return new Identity(uid, gid, List.of());
    }
    String name = entry[0];
    return new Identity(
        uid,
        gid,
        groups.stream()
            .filter(g -> g.length >= 4 && List.of(g[3].split(",", -1)).contains(name))
            .map(g -> Integer.valueOf(g[2]))
            .toList());
  }

  private static int group(List<String[]> groups, String group) {
    String[] entry = find(groups, group, 3);
    if (entry != null) {
      return Integer.parseInt(entry[2]);
    }
    if (isNumber(group)) {
      return Integer.parseInt(group);
    }
    throw new IllegalArgumentException("there is no group \"" + group + "\" in /etc/group");
  }

  private static String @org.jspecify.annotations.Nullable [] find(
      List<String[]> table, String key, int fields) {
    for (String[] entry : table) {
      if (entry.length >= fields && (entry[0].equals(key) || entry[2].equals(key))) {
        return entry;
      }
    }
    return null;
  }

  private static List<String[]> table(Path file) throws IOException {
    if (!Files.exists(file)) {
      return List.of();
    }
    return Files.readAllLines(file, StandardCharsets.ISO_8859_1).stream()
        .map(line -> line.split(":", -1))
        .toList();
  }

  private static boolean isNumber(String text) {
    return text.matches("[0-9]{1,9}");
  }
}
