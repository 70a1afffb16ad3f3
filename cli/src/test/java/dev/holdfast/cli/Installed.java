package dev.holdfast.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** The command where every user of the guest can run it, and ways to run it as somebody. */
final class Installed {
  private final Path command;
  private final List<Path> parts;

  /**
   * @param folder gets the command
   */
  Installed(Path folder) throws IOException {
    this.parts = HoldfastProcess.readableParts(folder);
    this.command = script(folder.resolve("holdfast"), HoldfastProcess.words(parts));
  }

  /** What the command consists of. */
  List<Path> parts() {
    return parts;
  }

  /** A file that runs {@code words} with its own arguments after them. */
  static Path script(Path file, List<String> words) throws IOException {
    StringBuilder text = new StringBuilder("#!/bin/sh\nexec");
    for (String word : words) {
      text.append(' ').append(quoted(word));
    }
    Files.writeString(file, text.append(" \"$@\"\n"));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    return file;
  }

  /** A folder for a PATH with these programs of the system's, and no others. */
  static Path tools(Path folder, String... names) throws IOException {
    Files.createDirectory(folder);
    for (String name : names) {
      for (String bin : List.of("/usr/bin", "/bin", "/usr/sbin", "/sbin")) {
        Path program = Path.of(bin, name);
        if (Files.exists(program) && !Files.exists(folder.resolve(name))) {
          script(folder.resolve(name), List.of(program.toString()));
        }
      }
    }
    return folder;
  }

  List<String> words(String... arguments) {
    List<String> words = new ArrayList<>(List.of(command.toString()));
    words.addAll(List.of(arguments));
    return words;
  }

  /** In a login session of its own (pam_systemd), which is a scope of root's. */
  static List<String> login(String user, List<String> words) {
    return List.of("su", "-", user, "-c", line(words));
  }

  /** In a service of the system's. */
  static List<String> service(List<String> properties, List<String> words) {
    List<String> all =
        new ArrayList<>(List.of("systemd-run", "--quiet", "--wait", "--pipe", "--collect"));
    properties.forEach(property -> all.add("--property=" + property));
    all.addAll(words);
    return all;
  }

  /**
   * In a unit of the user's own systemd.
   *
   * @param options of {@code systemd-run}: what kind of unit
   */
  static List<String> ofUsersSystemd(List<String> options, List<String> words) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "setpriv",
                "--reuid=tester",
                "--regid=tester",
                "--init-groups",
                "env",
                "HOME=/home/tester",
                "XDG_RUNTIME_DIR=/run/user/1000",
                "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
                "systemd-run",
                "--user",
                "--quiet"));
    all.addAll(options);
    all.addAll(words);
    return all;
  }

  /** With a cgroup namespace and a read-only cgroup filesystem of its own, as containers have. */
  static List<String> container(List<String> words) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "unshare",
                "--cgroup",
                "--mount",
                "sh",
                "-c",
                "umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup"
                    + " && mount -o remount,bind,ro /sys/fs/cgroup && exec \"$@\"",
                "sh"));
    all.addAll(words);
    return service(List.of(), all);
  }

  private static String line(List<String> words) {
    StringBuilder line = new StringBuilder();
    for (String word : words) {
      line.append(line.isEmpty() ? "" : " ").append(quoted(word));
    }
    return line.toString();
  }

  private static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
