package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A JVM with two jobs of three processes each, the first one frozen or released. What is left of it
 * is told by the process table and the mounted hierarchies.
 */
final class Owner {
  static final int MEMBERS = 6;

  /** What becomes of the first job. */
  enum First {
    FROZEN,
    RELEASED,
    USUAL
  }

  private final String name = UUID.randomUUID().toString();
  private final Marked members = marked(name);
  private final Process started;
  private final ProcessHandle jvm;
  private final List<Path> directories = new ArrayList<>();

  /** One that makes its anchor where it is. */
  static Owner start(First first) throws IOException {
    return new Owner(List.of(), ClassPath.own(), first, Optional.empty());
  }

  /**
   * Returns when its members are there.
   *
   * @param before words that start the JVM in the end, and end it when they are killed
   * @param root where its anchor shall be
   */
  Owner(List<String> before, String classPath, First first, Optional<Path> root)
      throws IOException {
    List<String> words = new ArrayList<>(List.of(name, first.name()));
    root.ifPresent(path -> words.add(path.toString()));
    started = Jvm.behind(before, classPath, Victim.class, words.toArray(new String[0]));
    boolean ready = false;
    try {
      for (String line = Jvm.line(started); !"ready".equals(line); line = Jvm.line(started)) {
        assertThat(line).as("the owner's output").isNotNull();
        directories.add(Path.of(line));
      }
      jvm =
          Stream.concat(Stream.of(started.toHandle()), started.descendants())
              .filter(process -> process.info().command().orElse("").endsWith("/java"))
              .findFirst()
              .orElseThrow();
      ready = true;
    } finally {
      if (!ready) {
        end();
      }
    }
  }

  /** What the JVM was started by, or itself. */
  Process started() {
    return started;
  }

  ProcessHandle jvm() {
    return jvm;
  }

  List<Long> members() {
    return members.alive();
  }

  /** Its jobs and their anchor, in every hierarchy. */
  List<Path> directories() {
    return directories;
  }

  /** The anchor's name: {@code holdfast-4711-0123456789ab}. */
  String anchor() {
    return directories.stream()
        .map(path -> path.getFileName().toString())
        .filter(last -> last.startsWith("holdfast-"))
        .findFirst()
        .orElseThrow();
  }

  void dieWithKeeper() throws Exception {
    Jvm.killWithKeeper(jvm);
  }

  /** Nobody and nothing of it is missing. */
  void assertWhole() {
    assertThat(members()).as("members of %s", this).hasSize(MEMBERS);
    assertThat(directories).as("of %s", this).allSatisfy(path -> assertThat(path).exists());
  }

  boolean isGone() {
    return members().isEmpty() && directories.stream().noneMatch(Files::exists);
  }

  /** All but the directories, which a sweep removes then. */
  void end() {
    started.destroyForcibly();
    members.end();
  }

  @Override
  public String toString() {
    return anchor();
  }

  /** Only the members bear it: whoever starts the JVM has its name in the command line too. */
  private static Marked marked(String name) {
    return new Marked("member-of-" + name);
  }

  /** Prints its directories and "ready". */
  public static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws Exception {
      Marked mark = marked(arguments[0]);
      List<Job> jobs = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        Job.Builder builder = Job.builder();
        if (arguments.length > 2) {
          builder.cgroupRoot(Path.of(arguments[2]));
        }
        Job job = builder.open();
        jobs.add(job);
        job.start(Trees.sessions(2, mark).stdout(Output.discard()));
      }
      mark.await(MEMBERS);
      for (Job job : jobs) {
        Groups.directoriesOf(job).forEach(System.out::println);
        Groups.directoriesOf(job).forEach(path -> System.out.println(path.getParent()));
      }
      switch (First.valueOf(arguments[1])) {
        case FROZEN -> jobs.getFirst().freeze();
        case RELEASED -> jobs.getFirst().stop(Signal.parse("WINCH"), Duration.ofMillis(1), false);
        case USUAL -> {}
      }
      System.out.println("ready");
      System.out.flush();
      Jvm.awaitDeath();
      System.out.println(jobs);
    }
  }
}
