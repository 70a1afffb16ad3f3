package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Unprivileged;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** However our process ends, its pid namespaces end with it, keeper or not. */
@HostAndGuest
@Unprivileged
@Needs(Feature.PID_NAMESPACES)
@Timeout(180)
class PidNamespaceOrphanTest {
  /** What has happened when the JVM is killed with -9. */
  enum Fate {
    /** The control: the tree is in no job. */
    OUTSIDE(false),
    JOB(true),
    KEEPER_KILLED(true),
    KEEPER_KILLED_TOO(true),
    FIRST_STOPPED(true),
    RELEASED(false);

    private final boolean ends;

    Fate(boolean ends) {
      this.ends = ends;
    }
  }

  private static final int TREE = 5;

  @RegisterExtension final Marked mark = Marked.fresh();

  @ParameterizedTest
  @EnumSource
  void killingTheJvm(Fate fate) throws Exception {
    Process jvm = Jvm.start(Victim.class, fate.name(), mark.text());
    assertThat(Jvm.line(jvm)).isEqualTo("ready");
    mark.await(TREE + 1); // who ends on the way is counted by the victim, too
    if (fate == Fate.KEEPER_KILLED_TOO) {
      ProcessHandle.of(named("holdfast-keeper", jvm.toHandle())).orElseThrow().destroyForcibly();
    }
    jvm.destroyForcibly();
    jvm.waitFor();
    if (fate.ends) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(1))
          .pollInterval(Duration.ofMillis(10))
          .until(() -> mark.alive().isEmpty());
    } else {
      Awaitility.await()
          .during(Duration.ofMillis(500))
          .atMost(Duration.ofSeconds(10))
          .until(() -> mark.alive().size() == TREE);
      mark.end();
      mark.await(0);
    }
  }

  private static long named(String name, ProcessHandle parent) {
    return parent
        .children()
        .mapToLong(ProcessHandle::pid)
        .filter(pid -> name(pid).equals(name))
        .findFirst()
        .orElse(0);
  }

  private static String name(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return stat.contains(") Z ")
          ? ""
          : stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    } catch (java.io.IOException gone) {
      return "";
    }
  }

  /** Starts a tree, says "ready" and waits for its death. */
  public static final class Victim {
    public static void main(String[] arguments) throws Exception {
      Fate fate = Fate.valueOf(arguments[0]);
      Marked mark = new Marked(arguments[1]);
      Command five =
          Trees.perl(
              "use POSIX; $SIG{TERM}=$SIG{HUP}='IGNORE';"
                  + " if (!fork) { POSIX::setsid(); exit if fork; fork; sleep 1000; exit }"
                  + " for (1..2) { if (!fork) { sleep 1000; exit } } sleep 1000;",
              mark);
      Job job = PidNamespaceTest.open();
      if (fate == Fate.OUTSIDE) {
        new ProcessBuilder(five.words()).start();
      } else {
        job.start(five);
      }
      mark.await(TREE + 1);
      ProcessHandle self = ProcessHandle.current();
      if (fate == Fate.KEEPER_KILLED) {
        long keeper = named("holdfast-keeper", self);
        ProcessHandle.of(keeper).orElseThrow().destroyForcibly();
        Awaitility.await()
            .until(() -> {
              long other = named("holdfast-keeper", self);
              return other != 0 && other != keeper;
            });
        job.start(Command.of("true")).waitFor();
      }
      if (fate == Fate.FIRST_STOPPED) {
        Jvm.stop(ProcessHandle.of(named("holdfast-init", self)).orElseThrow());
      }
      if (fate == Fate.RELEASED) {
        job.stop(new Signal(28), Duration.ofMillis(1), false);
        job.close();
      }
      System.out.println("ready");
      Jvm.awaitDeath();
    }
  }
}
