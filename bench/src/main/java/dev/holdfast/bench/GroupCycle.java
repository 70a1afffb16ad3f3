package dev.holdfast.bench;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import java.util.List;

/** The cgroup library alone: a group made, limited, read back and removed. */
final class GroupCycle {
  private GroupCycle() {}

  static List<Outcome> run(Settings settings) throws Exception {
    String holdfast = "Holdfast, create apply remove";
    String plain = "C, the same calls";
    Delegation delegation = Delegation.find();
    try (Cgroup above = delegation.createHolder("bench-above-" + ProcessHandle.current().pid());
        Peer peer = new Peer(settings.peer())) {
      above.enableControllers();
      try (Cgroup pattern = above.create("pattern")) {
        pattern.apply(Limited.limits(), false);
        Groups.of(pattern.paths()).teach(peer, true);
      }
      Race race =
          new Race("7. a group made, limited, read back, removed", Unit.MICROSECONDS, plain)
              .add(Candidate.timed(holdfast, () -> cycle(above)))
              .add(new Candidate(plain, () -> peer.sample("cycle")))
              .goal(holdfast, plain, 1.3);
      // The kernel takes either some 180 or some 300 us for it, and now and then changes over: a median
      // of few rounds is that of the one or the other.
      return List.of(race.run(settings.warmUp(), 10 * settings.rounds(), 0));
    }
  }

  private static void cycle(Cgroup above) throws Exception {
    Cgroup group = above.create("group");
    group.apply(Limited.limits(), false);
    group.remove();
  }
}
