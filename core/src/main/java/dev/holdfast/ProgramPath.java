package dev.holdfast;

import dev.holdfast.linux.RawText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a program is looked for, as execvp(3) does it: a name with a slash is a path, another is
 * looked for in the PATH that the command will have.
 */
public final class ProgramPath {
  /** What the C library uses where PATH is not set. */
  private static final String DEFAULT_PATH = "/bin:/usr/bin";

  private ProgramPath() {}

  /** The file that {@code command} would execute, as far as can be told without starting it. */
  public static Optional<Path> find(Command command) {
    Path directory = OwnDirectory.resolve(command.directory().orElse(Path.of("")));
    return paths(command).stream()
        .map(path -> directory.resolve(RawText.path(path)))
        .filter(path -> Files.isExecutable(path) && !Files.isDirectory(path))
        .findFirst();
  }

  static List<byte[]> candidates(Command command) {
    return paths(command).stream().map(RawText::bytes).toList();
  }

  private static List<String> paths(Command command) {
    String program = command.program();
    if (program.indexOf('/') >= 0) {
      return List.of(program);
    }
    List<String> paths = new ArrayList<>();
    String path = command.environment().get("PATH").orElse(DEFAULT_PATH);
    for (String directory : path.split(":", -1)) {
      // An empty element is the current directory.
      paths.add((directory.isEmpty() ? "." : directory) + "/" + program);
    }
    return paths;
  }
}
