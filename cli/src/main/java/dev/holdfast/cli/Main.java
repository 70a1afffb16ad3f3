package dev.holdfast.cli;

import dev.holdfast.Job;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** The process {@code holdfast}. */
public final class Main {
  private static final int BUFFER = 2048;

  private Main() {}

  public static void main(String[] args) {
    // Not System.out and System.err: those encode as the locale says, and reports are UTF-8
    // everywhere.
    PrintStream out = stream(FileDescriptor.out);
    PrintStream err = stream(FileDescriptor.err);
    Job.takeInOrphans();
    int status;
    try {
      status = Holdfast.execute(RawArguments.recover(args), out, err);
    } catch (Throwable failure) {
      // Nothing that we know of; but an error without a line would be worse.
      Complaint.print(err, "an error of holdfast itself: " + failure + " (please report it)");
      err.flush();
      status = ExitCode.OUR_FAILURE;
    }
    // System.exit would look for loggers in every jar, to log that it was called. What its hooks do
    // for us is done here.
    Job.closeAll();
    Runtime.getRuntime().halt(status);
  }

  static PrintStream stream(FileDescriptor descriptor) {
    return new PrintStream(
        new BufferedOutputStream(new FileOutputStream(descriptor), BUFFER),
        false,
        StandardCharsets.UTF_8);
  }
}
