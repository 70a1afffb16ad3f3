package dev.holdfast.bench;

import dev.holdfast.Child;
import dev.holdfast.Command;
import dev.holdfast.Job;
import dev.holdfast.Output;
import java.io.IOException;
import java.util.List;

/**
 * A tree of sleepers, each in a POSIX session of its own: from the order to end it until it is
 * empty and removed.
 */
final class EndOfTree {
  private EndOfTree() {}

  static List<Outcome> run(Settings settings) throws Exception {
    int count = settings.many();
    String holdfast = "Holdfast, job.close()";
    String c = "C, cgroup.kill, poll, rmdir";
    Command command =
        Command.of(settings.sleepers(), Integer.toString(count))
            .stdout(Output.pipe())
            .stderr(Output.inherit());
    try (Job pattern = Limited.roomyJob(count);
        Peer peer = new Peer(settings.peer())) {
      Groups.of(pattern).teach(peer, false);
      Race race =
          new Race("4. end a tree of " + count + " setsid sleepers", Unit.MICROSECONDS, c)
              .add(new Candidate(holdfast, () -> close(command, count)))
              .add(new Candidate(c, () -> peer.sample("tree " + settings.sleepers() + " " + count)))
              .goal(holdfast, c, 1.2);
      return List.of(race.run(1, settings.largeRounds(), 0));
    }
  }

  private static double close(Command command, int count) throws Exception {
    Job job = Limited.roomyJob(count);
    try (job) {
      Child child = job.start(command);
      if (child.stdout().read() != 'r') {
        throw new IOException("the sleepers did not become ready");
      }
      if (job.members().size() != count + 1) {
        throw new IOException(job.members().size() + " members");
      }
      return Candidate.micros(job::close);
    }
  }
}
