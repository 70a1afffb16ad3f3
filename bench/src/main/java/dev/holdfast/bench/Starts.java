package dev.holdfast.bench;

import dev.holdfast.Command;
import dev.holdfast.Job;
import java.util.ArrayList;
import java.util.List;

/** A start of /bin/true to reaped: in a job that is there already, and in one of its own. */
final class Starts {
  private static final long PAUSE_MILLIS = 200;
  private static final int ROW = 10;
  private static final String PLATFORM = "Holdfast, platform thread";
  private static final String VIRTUAL = "Holdfast, virtual thread";

  private Starts() {}

  static List<Outcome> inExistingJob(Settings settings) throws Exception {
    Command command = Limited.quiet("/bin/true");
    try (Job job = Limited.job();
        Peer peer = new Peer(settings.peer())) {
      Groups.of(job).teach(peer, true);
      peer.tell("prepare");
      peer.tell("keeper " + settings.keeper());
      List<Candidate> all = new ArrayList<>();
      all.add(Candidate.timed(PLATFORM, () -> Limited.startAndReap(job, command)));
      all.add(Candidate.timedOnVirtualThread(VIRTUAL, () -> Limited.startAndReap(job, command)));
      all.addAll(Rivals.starts());
      all.add(new Candidate("C, posix_spawn (uncontained)", () -> peer.sample("spawn")));
      all.add(new Candidate("C, clone3 into its group", () -> peer.sample("clone")));
      all.add(new Candidate("C, through the keeper", () -> peer.sample("ask")));
      return twice(
          settings, "1. start to reaped, existing job", all, List.of(PLATFORM, VIRTUAL), 0.55);
    }
  }

  static List<Outcome> inOwnJob(Settings settings) throws Exception {
    Command command = Limited.quiet("/bin/true");
    String byHand = "Holdfast, Job open start close";
    try (Job pattern = Limited.job();
        Peer peer = new Peer(settings.peer())) {
      Groups.of(pattern).teach(peer, true);
      List<Candidate> all = new ArrayList<>();
      all.add(Candidate.timed(PLATFORM, () -> Limited.runInOwnJob(command)));
      all.add(Candidate.timedOnVirtualThread(VIRTUAL, () -> Limited.runInOwnJob(command)));
      all.add(Candidate.timed(byHand, () -> Limited.openStartClose(command)));
      all.add(Rivals.starts().getFirst());
      all.add(new Candidate("C, clone3 in a group of its own", () -> peer.sample("job")));
      return twice(
          settings,
          "2. start to reaped, own job (limited, read back, removed)",
          all,
          List.of(PLATFORM, VIRTUAL, byHand),
          0.8);
    }
  }

  private static List<Outcome> twice(
      Settings settings, String title, List<Candidate> candidates, List<String> ours, double factor)
      throws Exception {
    Race backToBack = new Race(title + ", back to back", Unit.MICROSECONDS, Rivals.PROCESS_BUILDER);
    Race spaced =
        new Race(
            title + ", " + PAUSE_MILLIS + " ms apart", Unit.MICROSECONDS, Rivals.PROCESS_BUILDER);
    for (Race race : List.of(backToBack, spaced)) {
      race.add(candidates);
      ours.forEach(name -> race.goal(name, Rivals.PROCESS_BUILDER, factor));
    }
    return List.of(
        backToBack.runInRows(settings.warmUp(), settings.rounds(), ROW),
        spaced.run(0, settings.spacedRounds(), PAUSE_MILLIS));
  }
}
