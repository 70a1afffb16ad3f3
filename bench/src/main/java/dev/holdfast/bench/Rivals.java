package dev.holdfast.bench;

import com.zaxxer.nuprocess.NuAbstractProcessHandler;
import com.zaxxer.nuprocess.NuProcessBuilder;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.commons.exec.CommandLine;
import org.apache.commons.exec.DefaultExecutor;
import org.apache.commons.exec.PumpStreamHandler;
import org.zeroturnaround.exec.ProcessExecutor;

/** The JVM's other ways to run a program; none of them contains or limits it. */
final class Rivals {
  static final String PROCESS_BUILDER = "ProcessBuilder";

  private static final String TRUE = "/bin/true";

  private Rivals() {}

  /**
   * {@link ProcessBuilder} with its streams on /dev/null, which is its fastest way: the others here
   * cannot do without pipes.
   */
  static ProcessBuilder processBuilder(String... words) {
    return new ProcessBuilder(words)
        .redirectInput(new java.io.File("/dev/null"))
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD);
  }

  /** Each starts /bin/true and waits for its end. */
  static List<Candidate> starts() {
    return List.of(
        Candidate.timed(PROCESS_BUILDER, () -> check(processBuilder(TRUE).start().waitFor())),
        Candidate.timed("ProcessBuilder, with its pipes", Rivals::withPipes),
        Candidate.timed("NuProcess 3.0.0", Rivals::nuProcess),
        Candidate.timed(
            "zt-exec 1.13.0", () -> check(new ProcessExecutor(TRUE).execute().getExitValue())),
        Candidate.timed("commons-exec 1.6.0", Rivals::commonsExec));
  }

  /** As it comes: three pipes, which somebody has to close. */
  private static void withPipes() throws IOException, InterruptedException {
    Process process = new ProcessBuilder(TRUE).start();
    check(process.waitFor());
    process.getOutputStream().close();
    process.getInputStream().close();
    process.getErrorStream().close();
  }

  private static void nuProcess() throws IOException, InterruptedException {
    NuProcessBuilder builder = new NuProcessBuilder(new NuAbstractProcessHandler() {}, TRUE);
    check(builder.start().waitFor(1, TimeUnit.MINUTES));
  }

  private static void commonsExec() throws IOException {
    DefaultExecutor executor = DefaultExecutor.builder().get();
    executor.setStreamHandler(new PumpStreamHandler(OutputStream.nullOutputStream()));
    check(executor.execute(new CommandLine(TRUE)));
  }

  private static void check(int code) throws IOException {
    if (code != 0) {
      throw new IOException(TRUE + " ended with " + code);
    }
  }
}
