package dev.holdfast.cli;

import dev.holdfast.KernelText;
import dev.holdfast.Result;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/**
 * Where the report of a run goes. A file is opened before the run: one that cannot be written stops
 * us early.
 */
final class Report implements AutoCloseable {
  private final ReportFormat format;
  private final PrintStream err;
  private final @Nullable OutputStream file;

  private Report(ReportFormat format, PrintStream err, @Nullable OutputStream file) {
    this.format = format;
    this.err = err;
    this.file = file;
  }

  static Report open(ReportFormat format, @Nullable String path, PrintStream err)
      throws UsageException {
    if (format == ReportFormat.NONE || path == null) {
      return new Report(format, err, null);
    }
    try {
      return new Report(format, err, Files.newOutputStream(KernelText.path(path)));
    } catch (IOException refused) {
      throw new UsageException(
          "cannot write the report",
          path + ": " + why(refused),
          "give --report-file a file that can be written");
    }
  }

  /** The command's status stands even if its report cannot be written. */
  void write(Result result) {
    if (format == ReportFormat.NONE) {
      return;
    }
    byte[] content =
        format == ReportFormat.JSON
            ? JsonReport.of(result)
            : TextReport.of(result).getBytes(StandardCharsets.UTF_8);
    if (file == null) {
      err.write(content, 0, content.length);
      err.flush();
      return;
    }
    // A channel is closed by an interrupt; one that comes late to a start must not take the report.
    boolean interrupted = Thread.interrupted();
    try {
      file.write(content);
    } catch (IOException failure) {
      Complaint.print(
          err,
          "cannot write the report: "
              + failure.getMessage()
              + " (the run itself is over, and the exit status is its own)");
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** java.nio has exceptions of their own, without a word, for the usual reasons. */
  private static String why(IOException refused) {
    if (refused instanceof NoSuchFileException) {
      return "no such directory";
    }
    if (refused instanceof AccessDeniedException) {
      return "permission denied";
    }
    return refused instanceof FileSystemException failure && failure.getReason() != null
        ? failure.getReason()
        : String.valueOf(refused.getMessage());
  }

  @Override
  public void close() {
    if (file != null) {
      try {
        file.close();
      } catch (IOException ignored) {
        // Nothing is buffered: what close(2) says, write(2) has said.
      }
    }
  }
}
