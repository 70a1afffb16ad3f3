package dev.holdfast.bench;

import dev.holdfast.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Snapshots of usage, and of all statistics, against plainly reading the files they are made of.
 */
final class Snapshots {
  private Snapshots() {}

  static List<Outcome> run(Settings settings) throws Exception {
    int batch = settings.guest() ? 20 : 100;
    String holdfast = "Holdfast, job.usage()";
    String plain = "Files.readString";
    try (Job job = Limited.job()) {
      // Something in the counters, so that there is something to parse.
      Limited.startAndReap(job, Limited.quiet("/bin/true"));
      Groups groups = Groups.of(job);
      List<Path> files = groups.usageFiles();
      Race usage =
          new Race("6. usage snapshots (" + files.size() + " files)", Unit.PER_SECOND, plain)
              .add(new Candidate(holdfast, () -> perSecond(batch, job::usage)))
              .add(new Candidate(plain, () -> perSecond(batch, () -> readAll(files))))
              .goal(holdfast, plain, 5);
      List<Path> all = groups.statisticsFiles();
      String statistics = "Holdfast, job.statistics()";
      Race everything =
          new Race("6. all statistics (" + all.size() + " files)", Unit.PER_SECOND, plain)
              .add(new Candidate(statistics, () -> perSecond(batch, job::statistics)))
              .add(new Candidate(plain, () -> perSecond(batch, () -> readAll(all))));
      int warmUp = settings.warmUp() / 3;
      int rounds = settings.rounds() / 5;
      return List.of(usage.run(warmUp, rounds, 0), everything.run(warmUp, rounds, 0));
    }
  }

  private static double perSecond(int batch, Candidate.Work work) throws Exception {
    return batch
        * 1e6
        / Candidate.micros(() -> {
          for (int i = 0; i < batch; i++) {
            work.run();
          }
        });
  }

  private static void readAll(List<Path> files) throws IOException {
    for (Path file : files) {
      if (Files.readString(file).length() > 1 << 20) {
        throw new IOException(file + " is too long"); // so that the reading is for something
      }
    }
  }
}
