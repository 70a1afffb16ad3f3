package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A folder that poses as a control group. It keeps what was longer: a file that is written must be
 * empty before, or hold nothing longer.
 */
final class FakeGroup implements AutoCloseable {
  final Path path;
  final Branch branch;
  final Directory directory;

  private FakeGroup(Path path, boolean unified, List<String> controllers) throws IOException {
    this.path = path;
    this.directory = Directory.open(path);
    Hierarchy hierarchy =
        new Hierarchy(unified, path, "/", Set.copyOf(controllers), "/", Optional.of(path));
    this.branch = new Branch(hierarchy, directory, unified ? List.of() : controllers);
    if (!directory.has(Joining.FILE)) {
      files(Joining.FILE);
    }
  }

  static FakeGroup v2(Path path) throws IOException {
    return new FakeGroup(path, true, List.of("memory", "cpu", "pids"));
  }

  static FakeGroup v1(Path path, String... controllers) throws IOException {
    return new FakeGroup(path, false, List.of(controllers));
  }

  FakeGroup with(String file, String content) throws IOException {
    Files.writeString(path.resolve(file), content);
    return this;
  }

  /** Files that can be written. */
  FakeGroup files(String... files) throws IOException {
    for (String file : files) {
      with(file, "");
    }
    return this;
  }

  /** A file that forgets what is written to it. */
  FakeGroup forgetful(String file) throws IOException {
    Files.createSymbolicLink(path.resolve(file), Path.of("/dev/null"));
    return this;
  }

  String read(String file) throws IOException {
    return Files.readString(path.resolve(file));
  }

  static List<AppliedLimit> apply(Controller controller, Limits limits, boolean bestEffort)
      throws IOException {
    return apply(controller, limits, bestEffort, Earlier.NONE);
  }

  static List<AppliedLimit> apply(
      Controller controller, Limits limits, boolean bestEffort, Earlier earlier)
      throws IOException {
    LimitRows rows = new LimitRows(bestEffort, "cgroup-fake", earlier);
    controller.apply(limits, rows);
    return rows.rows();
  }

  static Usage usage(Controller controller) throws IOException {
    Figures figures = new Figures(List.of());
    controller.usage(figures);
    return figures.usage();
  }

  @Override
  public void close() {
    directory.close();
  }
}
