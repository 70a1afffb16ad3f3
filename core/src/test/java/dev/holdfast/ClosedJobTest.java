package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What members of an ordinary user close to themselves is closed to their JVM, too, which has the
 * same user; it opens that again, and ends them.
 */
@HostAndGuest
@Needs({Feature.ROOT, Feature.FREEZER})
@Timeout(180)
class ClosedJobTest {
  @RegisterExtension final Owners owners = new Owners();

  @TempDir Path folder;

  /** What is closed. */
  enum Closed {
    ANCHOR,
    JOB,
    FILES,
    /** Its names can be read, but not looked up. */
    NESTED
  }

  @ParameterizedTest
  @EnumSource
  void theEndComes(Closed closed) throws Exception {
    Marked mark = Marked.fresh();
    try {
      Process jvm =
          Jvm.behind(
              owners.asNobody(),
              ClassPath.readableToAll(folder),
              Closer.class,
              closed.name(),
              mark.text());
      String told = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(jvm.waitFor()).as(told).isZero();
      assertThat(told.lines()).containsExactly("started", "closed []", "another one");
      for (Path directory : owners.directories()) {
        try (Stream<Path> files = Files.list(directory)) {
          assertThat(files)
              .noneMatch(file -> file.getFileName().toString().startsWith("holdfast-"));
        }
      }
    } finally {
      mark.end();
    }
  }

  /** Closes what a member could, and then the job. */
  public static final class Closer {
    private Closer() {}

    public static void main(String[] arguments) throws Exception {
      // Whose arguments bear the mark, too.
      Marked mark = new Marked(arguments[1] + "-member");
      Job job = Job.builder().mechanism(MechanismChoice.CGROUP).open();
      Child member = job.start(Trees.sleeper(mark));
      mark.await(1);
      System.out.println("started");
      for (Path group : Groups.directoriesOf(job)) {
        for (Path path : closed(Closed.valueOf(arguments[0]), group)) {
          boolean nested = path.endsWith("nested");
          Files.setPosixFilePermissions(
              path, PosixFilePermissions.fromString(nested ? "r--r--r--" : "---------"));
        }
      }
      job.close();
      assertThat(member.waitFor().signal()).contains(Signal.KILL);
      System.out.println("closed " + mark.alive());
      try (Job next = Job.builder().mechanism(MechanismChoice.CGROUP).open()) {
        assertThat(next.start(Command.of("true")).waitFor().isSuccess()).isTrue();
      }
      Job.closeAll();
      System.out.println("another one");
    }

    private static List<Path> closed(Closed closed, Path group) throws IOException {
      return switch (closed) {
        case ANCHOR -> List.of(group.getParent());
        case JOB -> List.of(group);
        case FILES -> Owners.filesOfNobody(group);
        case NESTED -> {
          Path nested = Files.createDirectory(group.resolve("nested"));
          Files.createDirectory(nested.resolve("deeper"));
          yield List.of(nested);
        }
      };
    }
  }
}
