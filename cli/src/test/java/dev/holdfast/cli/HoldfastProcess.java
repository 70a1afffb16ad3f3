package dev.holdfast.cli;

import dev.holdfast.Job;
import dev.holdfast.testing.Jvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** The command as a process of its own, as a shell would start it. */
final class HoldfastProcess {
  /** The exit status, and what was printed. */
  record Ended(int status, String out, String err) {}

  private HoldfastProcess() {}

  /**
   * What the command consists of: the jars of the folder that {@code kernels/run-tests} made, with
   * the JVM's cache beside them, or else {@link #classes}.
   */
  static List<Path> parts() {
    String made = System.getProperty("holdfast.command");
    if (made == null) {
      return classes();
    }
    try {
      Path folder = Path.of(made);
      return Stream.of(Files.readString(folder.resolve("jars")).strip().split(" "))
          .map(jar -> folder.resolve(jar + ".jar"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The command's classes as the tests have them themselves: folders and jars. */
  static List<Path> classes() {
    return Stream.of(
            Main.class.getName(),
            Job.class.getName(),
            "dev.holdfast.oci.OciSpec",
            "picocli.CommandLine",
            "tools.jackson.core.JsonGenerator",
            // At run time only.
            "dev.holdfast.systemd.SystemdScopes",
            "org.freedesktop.dbus.messages.Message",
            "org.freedesktop.dbus.transport.jre.NativeTransportProvider",
            "org.slf4j.Logger",
            "org.slf4j.nop.NOPServiceProvider")
        .map(HoldfastProcess::part)
        .toList();
  }

  /** The source tree, from {@code cli/target/classes}. */
  static Path root() {
    return part(Main.class.getName()).resolve("../../..").normalize();
  }

  /** Where a class comes from. */
  static Path part(String type) {
    try {
      return Path.of(
          Class.forName(type).getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (ReflectiveOperationException | java.net.URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** The parts where every user can read them. */
  static List<Path> readableParts(Path folder) throws IOException {
    readable(folder);
    List<Path> copies = new ArrayList<>();
    List<Path> parts = parts();
    for (Path part : parts) {
      Path target =
          folder.resolve(
              Files.isDirectory(part) ? "part-" + copies.size() : part.getFileName().toString());
      copy(part, target);
      copies.add(target);
    }
    if (Files.exists(cache(parts))) {
      copy(cache(parts), cache(copies));
    }
    return copies;
  }

  /** With the times of the files: the cache is for these jars only. */
  private static void copy(Path part, Path target) throws IOException {
    try (Stream<Path> all = Files.walk(part)) {
      all.forEach(from -> {
        try {
          Path to = from.equals(part) ? target : target.resolve(part.relativize(from).toString());
          Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
          readable(to);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
    }
  }

  private static Path cache(List<Path> parts) {
    return parts.getFirst().resolveSibling("holdfast.aot");
  }

  /** The words that start it from {@code parts}. */
  static List<String> words(List<Path> parts, String... arguments) {
    List<String> words = Jvm.java();
    // As ./holdfast has it: what runs once is not worth compiling.
    words.add("-XX:CompileThresholdScaling=50");
    if (Files.exists(cache(parts))) {
      words.add("-XX:AOTCache=" + cache(parts));
    }
    words.addAll(
        List.of(
            "-cp",
            String.join(":", parts.stream().map(Path::toString).toList()),
            Main.class.getName()));
    words.addAll(List.of(arguments));
    return words;
  }

  static Ended run(String... arguments) throws IOException, InterruptedException {
    return await(start(words(parts(), arguments)));
  }

  /**
   * Starts words with the signals at their defaults: a shell's background jobs, such as those of
   * {@code ./check}, ignore SIGINT, and whatever they start inherits that.
   */
  static Process start(List<String> words) throws IOException {
    Process process = starting(words);
    process.outputWriter().close();
    return process;
  }

  /** As {@link #start}, with a stdin that can be written to. */
  static Process starting(List<String> words) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of("perl", "-e", "$SIG{$_} = 'DEFAULT' for qw(HUP INT TERM); exec @ARGV", "--"));
    all.addAll(words);
    return new ProcessBuilder(all).start();
  }

  /**
   * Runs a shell script in the POSIX locale, where {@code "$@"} is the command without arguments.
   * What is beyond ASCII is made by the shell: this JVM encodes what it passes as its own locale
   * says.
   */
  static Ended runInPosixLocale(Path directory, String script)
      throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(List.of("env", "LC_ALL=C", "sh", "-euc", "cd \"$0\"; " + script));
    words.add(directory.toString());
    words.addAll(words(parts()));
    return await(start(words));
  }

  static Ended await(Process process) throws IOException, InterruptedException {
    CompletableFuture<String> err =
        CompletableFuture.supplyAsync(() -> {
          try {
            return new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    String out = String.join("\n", process.inputReader().lines().toList());
    return new Ended(process.waitFor(), out, err.join());
  }

  private static void readable(Path path) throws IOException {
    Files.setPosixFilePermissions(
        path, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
