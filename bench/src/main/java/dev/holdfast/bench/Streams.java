package dev.holdfast.bench;

import dev.holdfast.Child;
import dev.holdfast.Command;
import dev.holdfast.Job;
import dev.holdfast.Output;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;

/** A large output through a child's stdout, with the same reading loop for all. */
final class Streams {
  private static final int BUFFER = 64 * 1024;

  private Streams() {}

  @FunctionalInterface
  private interface Reading {
    long read(InputStream in) throws IOException;
  }

  static List<Outcome> run(Settings settings) throws Exception {
    long bytes = settings.streamBytes();
    String count = Long.toString(bytes);
    // head writes 8 KiB at a time and is itself what takes the time; dd shows what the readers can
    // take.
    return List.of(
        run(settings, bytes, "/usr/bin/head", "-c", count, "/dev/zero"),
        run(
            settings,
            bytes,
            "/bin/dd",
            "if=/dev/zero",
            "bs=256K",
            "count=" + (bytes >> 18),
            "status=none"));
  }

  private static Outcome run(Settings settings, long bytes, String... words) throws Exception {
    Command command = Command.of(List.of(words)).stdout(Output.pipe()).stderr(Output.inherit());
    String ownLoop = "Holdfast, read into 64 KiB";
    String ownTransfer = "Holdfast, transferTo";
    String theirLoop = "ProcessBuilder, read into 64 KiB";
    String theirTransfer = "ProcessBuilder, transferTo";
    // A CPU limit would measure the limit: the others have none.
    try (Job job = Job.open();
        Peer peer = new Peer(settings.peer())) {
      String program = String.valueOf(Path.of(words[0]).getFileName());
      return new Race(
              "5. " + (bytes >> 20) + " MiB through the stdout of " + program,
              Unit.MEBIBYTES_PER_SECOND,
              theirLoop)
          .add(new Candidate(ownLoop, () -> holdfast(job, command, bytes, Streams::loop)))
          .add(new Candidate(ownTransfer, () -> holdfast(job, command, bytes, Streams::drop)))
          .add(new Candidate(theirLoop, () -> processBuilder(words, bytes, Streams::loop)))
          .add(new Candidate(theirTransfer, () -> processBuilder(words, bytes, Streams::drop)))
          .add(
              new Candidate(
                  "C, read into 64 KiB, 1 MiB pipe",
                  () ->
                      rate(bytes, peer.sample("stream " + bytes + " " + String.join(" ", words)))))
          .goal(ownLoop, theirLoop, 1.5)
          .goal(ownTransfer, theirTransfer, 1.5)
          .run(1, settings.largeRounds(), 0);
    }
  }

  private static double holdfast(Job job, Command command, long bytes, Reading reading)
      throws Exception {
    return rate(
        bytes,
        Candidate.micros(() -> {
          Child child = job.start(command);
          check(bytes, reading.read(child.stdout()));
          child.waitFor();
          child.stdout().close();
        }));
  }

  private static double processBuilder(String[] words, long bytes, Reading reading)
      throws Exception {
    return rate(
        bytes,
        Candidate.micros(() -> {
          Process child =
              new ProcessBuilder(words)
                  .redirectInput(new java.io.File("/dev/null"))
                  .redirectError(ProcessBuilder.Redirect.INHERIT)
                  .start();
          try (InputStream in = child.getInputStream()) {
            check(bytes, reading.read(in));
            child.waitFor();
          }
        }));
  }

  private static long loop(InputStream in) throws IOException {
    byte[] buffer = new byte[BUFFER];
    long total = 0;
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      total += n;
    }
    return total;
  }

  private static long drop(InputStream in) throws IOException {
    return in.transferTo(OutputStream.nullOutputStream());
  }

  private static double rate(long bytes, double micros) {
    return bytes / (double) (1 << 20) / (micros / 1e6);
  }

  private static void check(long wanted, long came) throws IOException {
    if (wanted != came) {
      throw new IOException(came + " bytes came instead of " + wanted);
    }
  }
}
