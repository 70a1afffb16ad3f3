package dev.holdfast.cgroup;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Groups in the subtree that is ours here, and processes in them: both end with the test. */
final class LiveGroups implements AfterEachCallback {
  private final List<Cgroup> groups = new ArrayList<>();
  private final List<Process> started = new ArrayList<>();

  /** Takes so much memory, or twice as much, touches all of it, says so and keeps it. */
  static String hog(int mib) {
    return "exec perl -e '$| = 1; $x = \"a\" x (" + mib + " << 20); print \"full\\n\"; sleep 1000'";
  }

  Cgroup make() throws IOException {
    Cgroup group = LivePlaces.make();
    groups.add(group);
    return group;
  }

  /** Starts a shell that waits, has it join, and lets it go on; its output is thrown away. */
  Process run(Cgroup group, String script) throws IOException {
    return run(group, ProcessBuilder.Redirect.DISCARD, script);
  }

  /** As above, for a script whose output is read. */
  Process runAndRead(Cgroup group, String script) throws IOException {
    return run(group, ProcessBuilder.Redirect.PIPE, script);
  }

  private Process run(Cgroup group, ProcessBuilder.Redirect output, String script)
      throws IOException {
    Process process =
        new ProcessBuilder("sh", "-c", "read go; " + script)
            .redirectErrorStream(true)
            .redirectOutput(output)
            .start();
    started.add(process);
    group.attach(process.pid());
    try (OutputStream input = process.getOutputStream()) {
      input.write("go\n".getBytes(StandardCharsets.UTF_8));
    }
    return process;
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    IOException failure = null;
    for (Cgroup group : groups.reversed()) {
      try {
        group.close();
      } catch (IOException left) {
        failure = left;
      }
    }
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
    if (failure != null) {
      throw failure;
    }
  }
}
