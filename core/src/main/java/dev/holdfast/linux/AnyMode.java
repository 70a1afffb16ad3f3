package dev.holdfast.linux;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Opens directories even if their mode does not let us in: members with our identity can take it
 * away ({@code chmod 0}), but not keep us from giving it back, since the directory is ours.
 */
public final class AnyMode {
  private static final int DIRECTORY = 0755;
  private static final int FILE = 0644;

  private AnyMode() {}

  /** What is read to end a control group. */
  private static final List<String> READ =
      List.of(
          "cgroup.procs",
          "cgroup.threads",
          "cgroup.events",
          "cgroup.freeze",
          "freezer.state",
          "tasks");

  /** What is written. */
  private static final List<String> WRITTEN =
      List.of("cgroup.procs", "cgroup.kill", "cgroup.freeze", "freezer.state", "tasks");

  /** Opens the subdirectory {@code name}; a symbolic link is refused. */
  public static Directory open(Directory above, String name) throws IOException {
    try {
      return letIn(above.open(name));
    } catch (SystemCallException failure) {
      if (failure.errno() != Errno.EACCES) {
        throw failure;
      }
      try {
        above.mode(name, DIRECTORY);
      } catch (SystemCallException refused) {
        refused.addSuppressed(failure);
        throw refused;
      }
      return above.open(name);
    }
  }

  /** Opens the directory at {@code path}; only its own mode is given back. */
  public static Directory open(Path path) throws IOException {
    try {
      return Directory.open(path);
    } catch (SystemCallException failure) {
      Path above = path.getParent();
      Path name = path.getFileName();
      if (failure.errno() != Errno.EACCES || above == null || name == null) {
        throw failure;
      }
      try (Directory parent = Directory.open(above)) {
        return open(parent, name.toString());
      }
    }
  }

  /** One that may be read, but in which no name may be looked up (0444), can be opened, too. */
  private static Directory letIn(Directory directory) throws IOException {
    if (!directory.isSearchable()) {
      try {
        directory.mode(DIRECTORY);
      } catch (SystemCallException others) {
        // Whoever needs more of it is refused then.
      }
    }
    return directory;
  }

  /**
   * Writes as {@link Directory#tryWrite}; where a mode of a control group forbids that, it is given
   * back first, if it is ours.
   */
  public static int tryWrite(Directory group, String name, String value) throws IOException {
    int errno = group.tryWrite(name, value);
    if (errno != Errno.EACCES) {
      return errno;
    }
    try {
      giveBack(group);
    } catch (SystemCallException others) {
      return errno;
    }
    return group.tryWrite(name, value);
  }

  /**
   * Gives a control group and the files that it is ended by their modes back, where its owner, who
   * we are, may not do what he is to do with them.
   */
  public static void giveBack(Directory directory) throws IOException {
    Path path = directory.path();
    // Its own first: without it the files are not to be had.
    if (!java.nio.file.Files.isReadable(path)
        || !java.nio.file.Files.isWritable(path)
        || !java.nio.file.Files.isExecutable(path)) {
      directory.mode(DIRECTORY);
    }
    for (String name : READ) {
      if (directory.has(name) && !java.nio.file.Files.isReadable(directory.path(name))) {
        directory.mode(name, FILE);
      }
    }
    for (String name : WRITTEN) {
      if (directory.has(name) && !java.nio.file.Files.isWritable(directory.path(name))) {
        directory.mode(name, FILE);
      }
    }
  }
}
