package dev.holdfast.bench;

import dev.holdfast.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A usage snapshot against plainly reading the files that it is made of. */
final class Snapshots {
  private Snapshots() {}

  static List<Outcome> run(Settings settings) throws Exception {
    int batch = settings.guest() ? 20 : 100;
    String holdfast = "Holdfast, job.usage()";
    String plain = "Files.readString";
    try (Job job = Limited.job()) {
      // Something in the counters, so that there is something to parse.
      Limited.startAndReap(job, Limited.quiet("/bin/true"));
      List<Path> files = Groups.of(job).usageFiles();
      Race race =
          new Race("6. usage snapshots (" + files.size() + " files)", Unit.PER_SECOND, plain)
              .add(new Candidate(holdfast, () -> perSecond(batch, job::usage)))
              .add(new Candidate(plain, () -> perSecond(batch, () -> readAll(files))))
              .goal(holdfast, plain, 5);
      return List.of(race.run(settings.warmUp() / 3, settings.rounds() / 5, 0));
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
