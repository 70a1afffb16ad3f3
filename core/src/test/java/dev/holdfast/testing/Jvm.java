package dev.holdfast.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** Another JVM with our class path, to be killed. */
public final class Jvm {
  /**
   * What lets one start soon. The archive of the JDK's classes stays where it was made for: to move
   * it is to write to each of its pages, which takes an emulated processor seconds.
   */
  private static final List<String> SMALL =
      List.of(
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:+UnlockDiagnosticVMOptions",
          "-XX:ArchiveRelocationMode=0",
          "-XX:-UsePerfData",
          "--enable-native-access=ALL-UNNAMED");

  private Jvm() {}

  /** The words that a command line begins with, up to the class path. */
  public static List<String> java() {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(SMALL);
    return words;
  }

  public static Process start(Class<?> main, String... arguments) throws IOException {
    return start(List.of(), main, arguments);
  }

  public static Process start(List<String> options, Class<?> main, String... arguments)
      throws IOException {
    return start(List.of(), options, main, arguments);
  }

  /**
   * Behind words that start it in the end, such as {@code unshare --pid --fork}.
   *
   * @param classPath ours, or a copy of it ({@link ClassPath})
   */
  public static Process behind(
      List<String> before, String classPath, Class<?> main, String... arguments)
      throws IOException {
    return builder(before, List.of(), classPath, main, arguments).start();
  }

  /** Which leads a POSIX session, so its keeper is found in that when it has died. */
  public static Process leadingASession(Class<?> main, String... arguments) throws IOException {
    return leaderBuilder(List.of(), main, arguments).start();
  }

  /**
   * In a shell that has done {@code before}, such as {@code ulimit -n 64}; it keeps those limits.
   */
  public static Process limited(String before, Class<?> main, String... arguments)
      throws IOException {
    return start(
        List.of("sh", "-c", before + "; exec \"$@\"", "sh"),
        List.of("-XX:-MaxFDLimit"),
        main,
        arguments);
  }

  private static Process start(
      List<String> before, List<String> options, Class<?> main, String... arguments)
      throws IOException {
    return builder(before, options, main, arguments).start();
  }

  private static ProcessBuilder builder(
      List<String> before, List<String> options, Class<?> main, String... arguments) {
    return builder(before, options, ClassPath.own(), main, arguments);
  }

  private static ProcessBuilder builder(
      List<String> before,
      List<String> options,
      String classPath,
      Class<?> main,
      String... arguments) {
    List<String> words = new ArrayList<>(before);
    words.addAll(java());
    words.addAll(options);
    words.addAll(List.of("-cp", classPath, main.getName()));
    words.addAll(List.of(arguments));
    return new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT);
  }

  /** One that leads a session of its own, whose family can be told by {@code mark}. */
  public static Process leader(
      String mark, List<String> options, Class<?> main, String... arguments) throws IOException {
    ProcessBuilder builder = leaderBuilder(options, main, arguments);
    builder.environment().put(Family.VARIABLE, mark);
    return builder.start();
  }

  private static ProcessBuilder leaderBuilder(
      List<String> options, Class<?> main, String... arguments) {
    // setsid becomes it: whom a JVM starts leads no process group.
    return builder(List.of("setsid"), options, main, arguments);
  }

  /** Tells it a line, on its stdin. */
  public static void tell(Process jvm, String line) throws IOException {
    jvm.outputWriter().write(line + "\n");
    jvm.outputWriter().flush();
  }

  /** Stops it (SIGSTOP), and returns when each of its threads stands still. */
  public static void stop(Process jvm) throws IOException, InterruptedException {
    stop(jvm.toHandle());
  }

  /** The same of one that another process has started. */
  public static void stop(ProcessHandle jvm) throws IOException, InterruptedException {
    Tool.run("kill", "-STOP", Long.toString(jvm.pid()));
    Awaitility.await("the stop of " + jvm.pid())
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(2))
        .until(() -> threadStates(jvm.pid()).stream().allMatch("T"::equals));
  }

  /** Stops its keepers, of which there are some. */
  public static List<ProcessHandle> stopKeepers(ProcessHandle jvm)
      throws IOException, InterruptedException {
    List<ProcessHandle> keepers = keepers(jvm);
    if (keepers.isEmpty()) {
      throw new AssertionError("no keeper of " + jvm.pid());
    }
    for (ProcessHandle keeper : keepers) {
      stop(keeper);
    }
    return keepers;
  }

  /** Lets them go on that still are there. */
  public static void continueAll(List<ProcessHandle> stopped)
      throws IOException, InterruptedException {
    for (ProcessHandle one : stopped) {
      if (one.isAlive()) {
        new ProcessBuilder("kill", "-CONT", Long.toString(one.pid())).start().waitFor();
      }
    }
  }

  /** Stops it, so that it cannot replace its keepers and they stay zombies; kills them, and it. */
  public static void killWithKeeper(Process jvm) throws IOException, InterruptedException {
    killWithKeeper(jvm.toHandle());
    jvm.waitFor();
  }

  /** The same of one that another process has started, and will reap. */
  public static void killWithKeeper(ProcessHandle jvm) throws IOException, InterruptedException {
    stop(jvm);
    for (ProcessHandle keeper : keepers(jvm)) {
      keeper.destroyForcibly();
      Path commandLine = Path.of("/proc", Long.toString(keeper.pid()), "cmdline");
      Awaitility.await("the keeper's end")
          .atMost(Duration.ofSeconds(20))
          .pollInterval(Duration.ofMillis(2))
          .until(() -> Files.readString(commandLine, StandardCharsets.ISO_8859_1).isEmpty());
    }
    jvm.destroyForcibly();
    jvm.onExit().join();
  }

  /** Its children of that name. */
  public static List<ProcessHandle> keepers(ProcessHandle jvm) throws IOException {
    List<ProcessHandle> keepers = new ArrayList<>();
    for (ProcessHandle child : jvm.children().toList()) {
      Path name = Path.of("/proc", Long.toString(child.pid()), "comm");
      if (Files.readString(name).strip().equals("holdfast-keeper")) {
        keepers.add(child);
      }
    }
    return keepers;
  }

  private static List<String> threadStates(long pid) throws IOException {
    List<String> states = new ArrayList<>();
    try (DirectoryStream<Path> threads =
        Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
      for (Path thread : threads) {
        String stat = Files.readString(thread.resolve("stat"), StandardCharsets.ISO_8859_1);
        states.add(stat.substring(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3));
      }
    }
    return states;
  }

  /** Loads every class of the module of {@code one} into this JVM, and tells how many there are. */
  public static int loadAll(Class<?> one) throws Exception {
    Path part = Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
    if (Files.isDirectory(part)) {
      return loadAllBelow(part);
    }
    try (FileSystem jar = FileSystems.newFileSystem(part)) {
      return loadAllBelow(jar.getPath("/"));
    }
  }

  private static int loadAllBelow(Path classes) throws IOException, ClassNotFoundException {
    int loaded = 0;
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.toList()) {
        String name = classes.relativize(file).toString();
        if (name.endsWith(".class") && !name.endsWith("-info.class")) {
          Class.forName(name.substring(0, name.length() - 6).replace('/', '.'));
          loaded++;
        }
      }
    }
    return loaded;
  }

  /** For its main: waits until somebody kills it. */
  public static void awaitDeath() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  /** The next line it prints; null at the end. */
  public static String line(Process jvm) throws IOException {
    BufferedReader reader = jvm.inputReader();
    return reader.readLine();
  }
}
