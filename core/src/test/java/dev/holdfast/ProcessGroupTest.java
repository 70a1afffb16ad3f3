package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Place;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Jobs of POSIX sessions, in a JVM of their own: they may take in orphans, and they get killed. */
@HostAndGuest
@Timeout(300)
class ProcessGroupTest {
  private static final int EXITS = Place.isGuest() ? 50 : 200;

  @RegisterExtension final Marked mark = Marked.fresh();

  /** The control first: a child of the JDK's is in our session. */
  @Test
  void theGroupIsThereWhenStartReturns() throws Exception {
    Process plain = new ProcessBuilder(Trees.sleeper(mark).words()).start();
    assertThat(groupAndSession(plain.pid())).doesNotContain(plain.pid());
    plain.destroyForcibly().waitFor();
    try (Job job = open()) {
      for (int i = 0; i < 50; i++) {
        Child child = job.start(Trees.sleeper(mark));
        assertThat(groupAndSession(child.pid()))
            .containsExactly((long) child.pid(), (long) child.pid());
      }
      job.kill();
      assertThat(mark.alive()).isEmpty();
    }
  }

  /** The group, and the session, as the kernel has them: fields 5 and 6. */
  private static List<Long> groupAndSession(long pid) throws Exception {
    String stat = java.nio.file.Files.readString(java.nio.file.Path.of("/proc/" + pid + "/stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return List.of(Long.valueOf(fields[2]), Long.valueOf(fields[3]));
  }

  @Test
  void childrenOfMembersAreFoundInAnySession() throws Exception {
    try (Job job = open()) {
      job.start(Trees.sessions(3, mark));
      mark.await(4);
      assertThat(job.members()).hasSize(4);
      job.close();
      assertThat(job.cleanup().orElseThrow().killedMembers()).isEqualTo(4);
    }
    assertThat(mark.alive()).isEmpty();
  }

  @Test
  void whoForksMeanwhileIsEndedWithItsChildren() throws Exception {
    for (int round = 0; round < (Place.isGuest() ? 3 : 10); round++) {
      try (Job job = open()) {
        job.start(
            Trees.perl(
                "use POSIX; for (1..600) { if (!fork) { POSIX::setsid(); sleep 1000; exit }"
                    + " select(undef, undef, undef, 0.0002) } sleep 1000;",
                mark));
        Awaitility.await().pollInterval(Duration.ofMillis(1)).until(() -> mark.alive().size() > 5);
        job.kill();
        assertThat(mark.alive()).as("round " + round).isEmpty();
      }
    }
  }

  /** What the caveat says: if this fails one day, the caveat is to be mended. */
  @Test
  void whoLeavesItsSessionAndItsParentHasEscaped() throws Exception {
    try (Job job = open()) {
      job.start(Trees.daemon(mark)).waitFor();
      mark.await(1);
      assertThat(job.members()).isEmpty();
    }
    assertThat(mark.alive()).hasSize(1);
    assertThat(Mechanism.PROCESS_GROUP.caveat().orElseThrow()).contains("has escaped");
    mark.end();
    mark.await(0);
  }

  private static Job open() throws Exception {
    return Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open();
  }

  /**
   * An orphan that has come to a JVM goes to the next reaper at the JVM's death, before anybody is
   * told of that: the keeper does not find it, as the caveat says. An end in order does.
   */
  @Test
  void killingTheJvmLeavesTheOrphansThatItHasTakenIn() throws Exception {
    for (String how : List.of("in order", "killed")) {
      Process jvm = Jvm.start(Reaper.class, mark.text());
      assertThat(Jvm.line(jvm)).isEqualTo("ready: 2");
      if (how.equals("killed")) {
        jvm.destroyForcibly();
      } else {
        jvm.outputWriter().close();
      }
      jvm.waitFor();
      // The one in the session is found by the keeper, and tells that it has done its work.
      Awaitility.await(how).atMost(Duration.ofSeconds(10)).until(() -> mark.alive().size() <= 1);
      assertThat(mark.alive()).as(how).hasSize(how.equals("killed") ? 1 : 0);
      mark.end();
      mark.await(0);
    }
  }

  /** Takes in an orphan, and ends with its stdin. */
  public static final class Reaper {
    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[0]);
      Job.takeInOrphans();
      Job job = open();
      job.start(Trees.daemon(mark)).waitFor();
      job.start(Trees.sleeper(mark));
      mark.await(2 + 1);
      System.out.println("ready: " + job.members().size());
      while (System.in.read() >= 0) {
        // nobody says anything
      }
    }
  }

  /** The control first: what is not in a job lives on. */
  @Test
  void killingTheJvmEndsItsSessions() throws Exception {
    for (String how :
        List.of("outside", "job", "keeper-killed", "keeper-stopped", "released", "started-late")) {
      Process jvm = Jvm.leadingASession(Victim.class, how, mark.text());
      assertThat(Jvm.line(jvm)).isEqualTo("ready");
      assertThat(mark.alive()).as(how).hasSize(5 + 1);
      if (how.equals("keeper-stopped")) {
        Jvm.stopKeepers(jvm.toHandle());
      }
      jvm.destroyForcibly();
      jvm.waitFor();
      if (how.equals("job") || how.startsWith("keeper-")) {
        Awaitility.await(how)
            .atMost(Duration.ofSeconds(10))
            .pollInterval(Duration.ofMillis(10))
            .until(() -> mark.alive().isEmpty());
      } else {
        // Long enough for the keeper, had it been told: it ends within milliseconds of the JVM.
        Awaitility.await(how)
            .during(Duration.ofMillis(500))
            .atMost(Duration.ofSeconds(10))
            .until(() -> mark.alive().size() == 5);
        mark.end();
        mark.await(0);
      }
    }
  }

  @Test
  void jobsThatTakeInOrphansLeaveEachOthersChildrenAlone() throws Exception {
    Process jvm = Jvm.start(Neighbours.class, mark.text());
    List<String> lines = new ArrayList<>();
    for (String line = Jvm.line(jvm); line != null; line = Jvm.line(jvm)) {
      lines.add(line);
    }
    assertThat(jvm.waitFor()).isZero();
    assertThat(lines)
        .containsExactly(
            "the other's child lives",
            "exits seen: " + EXITS + " of " + EXITS,
            "keeper alive: true",
            "escapee lives beside another job",
            "members of the last job: 2");
  }

  /** Starts a tree, says "ready" and waits for its death. */
  public static final class Victim {
    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[1]);
      // The first, two more in its session, and one in another session with a child.
      Command five =
          Trees.perl(
              "use POSIX; if (!fork) { POSIX::setsid(); fork; sleep 1000; exit }"
                  + " for (1..2) { if (!fork) { sleep 1000; exit } } sleep 1000;",
              mark);
      Job job = Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open();
      if (arguments[0].equals("outside")) {
        new ProcessBuilder(five.words()).start();
      } else if (arguments[0].equals("started-late")) {
        Child before = job.start(Command.of("sleep", "1000"));
        job.stop(new Signal(28), Duration.ofMillis(1), false);
        before.signal(Signal.KILL);
        job.start(five); // in a released job
      } else {
        job.start(five);
      }
      mark.await(5 + 1);
      if (arguments[0].equals("keeper-killed")) {
        long keeper = keeper();
        ProcessHandle.of(keeper).orElseThrow().destroyForcibly();
        Awaitility.await().until(() -> keeper() != 0 && keeper() != keeper);
        // It is there; it was told before anything else could be asked of it.
        job.start(Command.of("true")).waitFor();
      }
      if (arguments[0].equals("released")) {
        job.stop(new Signal(28), Duration.ofMillis(1), false);
        job.close();
      }
      System.out.println("ready");
      Jvm.awaitDeath();
    }
  }

  private static long keeper() {
    return ProcessHandle.current()
        .children()
        .filter(child -> "holdfast-keeper".equals(name(child.pid())))
        .mapToLong(ProcessHandle::pid)
        .findFirst()
        .orElse(0);
  }

  private static String name(long pid) {
    try {
      String status =
          java.nio.file.Files.readString(java.nio.file.Path.of("/proc/" + pid + "/stat"));
      return status.contains(") Z ")
          ? ""
          : status.substring(status.indexOf('(') + 1, status.lastIndexOf(')'));
    } catch (java.io.IOException gone) {
      return "";
    }
  }

  /** Two jobs in a JVM that takes in orphans; prints what the test looks for. */
  public static final class Neighbours {
    public static void main(String[] arguments) throws Exception {
      Marked mark = new Marked(arguments[0]);
      Job.takeInOrphans();
      Job first = Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open();
      Job second = Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open();
      Child mine = first.start(Trees.sleeper(mark));
      second.start(Command.of("true")).waitFor();
      second.kill();
      System.out.println(
          mine.exit().isEmpty() ? "the other's child lives" : "the other's child was killed");

      // Short ones in one job while another looks for orphans all the time.
      Thread looker =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  while (!Thread.interrupted()) {
                    second.kill();
                  }
                } catch (java.io.IOException | InterruptedException failure) {
                  System.out.println(failure);
                }
              });
      int seen = 0;
      for (int i = 0; i < EXITS; i++) {
        if (first.start(Command.of("sh", "-c", "exit 7")).waitFor().status() == 7) {
          seen++;
        }
      }
      looker.interrupt();
      looker.join();
      System.out.println("exits seen: " + seen + " of " + EXITS);
      System.out.println("keeper alive: " + (keeper() != 0));

      // A daemon of the second leaves its session, and its parents.
      second.start(Trees.daemon(mark)).waitFor();
      mark.await(3);
      second.close();
      System.out.println(
          mark.alive().size() == 3 ? "escapee lives beside another job" : "escapee was killed");
      System.out.println("members of the last job: " + first.members().size());
      first.close();
    }
  }
}
