package dev.holdfast.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The command {@code holdfast} as a whole process, beside the JVM that does nothing. */
final class WholeCommand {
  private static final String OURS = "holdfast run -- true";
  private static final String OURS_LIMITED = "holdfast run, three limits, report";
  private static final String JAVA = "java -version";

  private WholeCommand() {}

  static List<Outcome> run(Settings settings) throws Exception {
    String holdfast = Path.of("holdfast").toAbsolutePath().toString();
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    // Builds it, should that not have been done yet.
    end(holdfast, "--version");
    Race race =
        new Race("8. the command as a whole process", Unit.MICROSECONDS, JAVA)
            .add(Candidate.timed(JAVA, () -> end(java, "-version")))
            .add(Candidate.timed(OURS, () -> end(holdfast, "run", "--", "true")))
            .add(
                Candidate.timed(
                    OURS_LIMITED,
                    () ->
                        end(
                            holdfast,
                            "run",
                            "--memory",
                            "64M",
                            "--cpus",
                            "1",
                            "--pids",
                            "32",
                            "--report",
                            "json",
                            "--",
                            "true")))
            .goal(OURS, JAVA, 5);
    return List.of(race.run(2, settings.wholeRounds(), 0));
  }

  private static void end(String... words) throws IOException, InterruptedException {
    int status = Rivals.processBuilder(words).start().waitFor();
    if (status != 0) {
      throw new IOException(String.join(" ", words) + " ended with " + status);
    }
  }
}
