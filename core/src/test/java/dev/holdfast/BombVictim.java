package dev.holdfast;

import static java.util.stream.Collectors.joining;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.Jvm;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The JVM with a bomb, of {@link ForkBombTest}: starts it at "go", prints "started", and closes its
 * job at "close". Instead of "go" it reads the directories of a group that the bomb shall go off
 * in, where its own job limits nothing.
 */
public final class BombVictim {
  /** The kinds whose processes make groups of their own. */
  private static final Set<String> MAKING_GROUPS = Set.of("nested", "closed");

  /** The test says how long the end may take, and sees what is left until then. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private BombVictim() {}

  /**
   * A mechanism (or {@link OrphanVictim#WITHOUT}), the kind of bomb, and how many processes it may
   * have, or nothing.
   */
  public static void main(String[] arguments) throws Exception {
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String first = orders.readLine();
    List<Path> elsewhere =
        first.equals("go") ? List.of() : Stream.of(first.split(" ")).map(Path::of).toList();
    if (arguments[0].equals(OrphanVictim.WITHOUT)) {
      new ProcessBuilder(bomb(arguments[1], List.of(), elsewhere).words()).start();
      say("started");
      Jvm.awaitDeath();
    }
    Limits limits = elsewhere.isEmpty() ? limits(arguments[2]) : Limits.NONE;
    try (Job job =
        Job.builder()
            .mechanism(MechanismChoice.valueOf(arguments[0]))
            .limits(limits)
            .closeDeadline(PATIENCE)
            .open()) {
      List<Path> own = job.cgroupPaths().isEmpty() ? List.of() : Groups.directoriesOf(job);
      job.start(bomb(arguments[1], own, elsewhere).stdout(Output.discard()));
      say("started");
      orders.readLine();
    }
    Jvm.awaitDeath();
  }

  /**
   * So many processes; without a number there is a share of the processor: of those that nothing
   * holds together, each would have as much of it as whoever shall end them.
   */
  static Limits limits(String pids) {
    return pids.isEmpty()
        ? Limits.builder().cpuWeight(1).build()
        : Limits.builder().pids(Long.parseLong(pids)).build();
  }

  /** It makes groups in {@code own} if that is what its kind does, and goes off elsewhere if so. */
  private static Command bomb(String kind, List<Path> own, List<Path> elsewhere) {
    Command bomb = Members.bomb(kind, MAKING_GROUPS.contains(kind) ? own : List.of());
    if (elsewhere.isEmpty()) {
      return bomb;
    }
    List<String> words =
        new ArrayList<>(
            List.of(
                "sh",
                "-c",
                "for group in $0; do echo 0 >\"$group\"/cgroup.procs || exit; done; exec \"$@\"",
                elsewhere.stream().map(Path::toString).collect(joining(" "))));
    words.addAll(bomb.words());
    return Command.of(words).oomScoreAdj(bomb.oomScoreAdj().orElseThrow());
  }

  private static void say(String word) {
    System.out.println(word);
    System.out.flush();
  }
}
