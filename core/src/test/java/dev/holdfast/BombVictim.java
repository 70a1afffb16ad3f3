package dev.holdfast;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.Jvm;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The JVM with a bomb, of {@link ForkBombTest}: starts it at "go", prints "started", and closes its
 * job at "close". Without a job it reads, instead of "go", the directories of a group that the bomb
 * goes off in.
 */
public final class BombVictim {
  private BombVictim() {}

  /**
   * A mechanism (or {@link OrphanVictim#WITHOUT}), the kind of bomb, and how many processes it may
   * have, or nothing.
   */
  public static void main(String[] arguments) throws Exception {
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String first = orders.readLine();
    if (arguments[0].equals(OrphanVictim.WITHOUT)) {
      List<String> words = new ArrayList<>();
      words.addAll(
          List.of(
              "sh",
              "-c",
              "for group in $0; do echo 0 >\"$group\"/cgroup.procs; done; exec \"$@\"",
              first));
      words.addAll(Members.bomb(arguments[1], List.of()).words());
      new ProcessBuilder(words).start();
      say("started");
      Jvm.awaitDeath();
    }
    // Without a limit of processes it has a share of the processor: of those that nothing holds
    // together, each would have as much of it as whoever shall end them.
    Limits limits =
        arguments[2].isEmpty()
            ? Limits.builder().cpuWeight(1).build()
            : Limits.builder().pids(Long.parseLong(arguments[2])).build();
    try (Job job =
        Job.builder().mechanism(MechanismChoice.valueOf(arguments[0])).limits(limits).open()) {
      List<Path> groups = job.cgroupPaths().isEmpty() ? List.of() : Groups.directoriesOf(job);
      job.start(Members.bomb(arguments[1], groups).stdout(Output.discard()));
      say("started");
      orders.readLine();
    }
    Jvm.awaitDeath();
  }

  private static void say(String word) {
    System.out.println(word);
    System.out.flush();
  }
}
