package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.linux.CrashPoint;
import dev.holdfast.linux.CrashPoint.Victim;
import dev.holdfast.linux.ProcessTable;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Form;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.SlowInGuests;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A JVM that is killed between any two of its system calls leaves nothing behind: its keeper ends
 * and removes everything, or a sweep does where the keeper did not know yet, or died too. One JVM
 * for each call, in guests for each line of our code that changes anything by one; in the short
 * form for some calls, by chance.
 */
@EveryKernel
@Needs(Feature.ROOT)
@SlowInGuests
@Timeout(7200)
class CrashTest {
  private static final int SAMPLE = Place.isGuest() ? 2 : 24;

  private static final Set<String> LOOKS =
      Set.of("pread64", "getdents64", "faccessat", "statx", "close", "ppoll", "epoll_pwait");

  /** That it comes to its end is the matter here; how fast, {@link OrphanTest} says. */
  private static final Duration LIMIT = Duration.ofSeconds(5);

  private final List<String> complaints = new ArrayList<>();

  @Test
  void ofAJvm() throws Exception {
    crash(Victim.JVM);
  }

  @Test
  void ofAJvmWithItsKeeper() throws Exception {
    crash(Victim.JVM_AND_KEEPER);
  }

  private void crash(Victim victim) throws Exception {
    if (Form.isLong()) {
      crashAtAll(victim);
    } else {
      crashAtSome(victim);
    }
    assertThat(complaints).isEmpty();
  }

  private void crashAtSome(Victim victim) throws Exception {
    long seed = System.nanoTime();
    System.out.println("CrashTest: seed " + seed);
    Random random = new Random(seed);
    // How groups are mounted makes the difference between guests.
    List<MechanismChoice> mechanisms =
        Place.isGuest() ? List.of(MechanismChoice.CGROUP) : mechanisms(victim);
    for (MechanismChoice mechanism : mechanisms) {
      List<Integer> changed = callsAfterChanges(callsOf(mechanism));
      int step = Math.max(changed.size() * mechanisms.size() / SAMPLE, 1);
      for (int i = random.nextInt(step); i < changed.size(); i += step) {
        new Crash(mechanism, victim, changed.get(i)).run();
      }
    }
  }

  private void crashAtAll(Victim victim) throws Exception {
    for (MechanismChoice mechanism : mechanisms(victim)) {
      if (!Place.isGuest()) {
        crashAtEach(mechanism, victim);
      } else if (mechanism == MechanismChoice.CGROUP || Place.current().equals(Place.UML_V2)) {
        crashAfterEachChange(mechanism, victim);
      }
    }
  }

  private void crashAtEach(MechanismChoice mechanism, Victim victim) throws Exception {
    int calls = callsOf(mechanism).size();
    int at = 1;
    while (new Crash(mechanism, victim, at).run()) {
      at++;
    }
    // It differs a little: there are loops that wait for the kernel.
    assertThat(at).as("where it ended by itself").isGreaterThan(calls / 2);
  }

  /**
   * After the first change by each line of our code that makes any: a JVM takes seconds in a guest,
   * and after a call that only looks the kernel holds what it held before.
   */
  private void crashAfterEachChange(MechanismChoice mechanism, Victim victim) throws Exception {
    List<String> calls = callsOf(mechanism);
    Set<String> places = new HashSet<>();
    for (int number : callsAfterChanges(calls)) {
      String place = number == 1 ? "before all" : calls.get(number - 2).split(" ", 3)[2];
      if (places.add(place)) {
        new Crash(mechanism, victim, number).run();
      }
    }
    System.out.println(
        "# crashes of "
            + victim
            + " with "
            + mechanism
            + " at "
            + places.size()
            + " places of "
            + calls.size()
            + " calls");
  }

  private static List<MechanismChoice> mechanisms(Victim victim) throws IOException {
    return Mechanisms.here().entrySet().stream()
        .filter(entry -> outlives(entry.getValue(), victim))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Without a keeper nothing but a group can be found again; and a process tree has neither. */
  private static boolean outlives(Mechanism mechanism, Victim victim) {
    return victim == Victim.JVM ? mechanism != Mechanism.PROCESS_TREE : mechanism.isCgroup();
  }

  /** Such as {@code call 17 mkdirat Branch.make, Hierarchies.make}. */
  private List<String> callsOf(MechanismChoice mechanism) throws Exception {
    Crash whole = new Crash(mechanism, Victim.NOBODY, 0);
    assertThat(whole.run()).as("whether it died").isFalse();
    List<String> calls = whole.lines.stream().filter(line -> line.startsWith("call ")).toList();
    assertThat(calls).hasSizeGreaterThan(100);
    System.out.println("CrashTest: " + mechanism + " makes " + calls.size() + " calls");
    return calls;
  }

  /** The numbers of those before which the last one did more than look. */
  private static List<Integer> callsAfterChanges(List<String> calls) {
    List<Integer> numbers = new ArrayList<>(List.of(1));
    for (int i = 0; i < calls.size(); i++) {
      if (!LOOKS.contains(calls.get(i).split(" ")[2])) {
        numbers.add(i + 2);
      }
    }
    return numbers;
  }

  /** One JVM, which dies at one call. */
  private final class Crash {
    private final MechanismChoice mechanism;
    private final Victim victim;
    private final int at;
    private final Marked mark = Marked.fresh();
    private final List<String> lines = new ArrayList<>();
    private final Process jvm;

    Crash(MechanismChoice mechanism, Victim victim, int at) throws IOException {
      this.mechanism = mechanism;
      this.victim = victim;
      this.at = at;
      this.jvm =
          Jvm.leadingASession(
              Scenario.class, mechanism.name(), victim.name(), Integer.toString(at), mark.text());
    }

    /** False if it came to its end before that call. */
    boolean run() throws Exception {
      try {
        for (String line = Jvm.line(jvm); line != null; line = Jvm.line(jvm)) {
          lines.add(line);
        }
        int status = jvm.waitFor();
        boolean died = status == 128 + 9;
        assertThat(status).as("%s", this).isIn(0, 128 + 9);
        if (victim == Victim.JVM_AND_KEEPER && died) {
          if (lines.contains("started") && !lines.contains("killing")) {
            // The control: what is looked for is found, as long as nobody ends it.
            assertThat(mark.alive()).as("%s", this).hasSize(3);
            assertThat(directories()).as("%s", this).isNotEmpty();
          }
          sweep();
        } else if (!isGone(() -> null)) {
          if (mechanism != MechanismChoice.CGROUP || hadKeeper()) {
            complain("the keeper left " + left());
          }
          sweep();
        }
        return died;
      } finally {
        jvm.destroyForcibly();
        for (ProcessTable.Entry entry : session()) {
          ProcessHandle.of(entry.pid()).ifPresent(ProcessHandle::destroyForcibly);
        }
        mark.end();
      }
    }

    private void sweep() throws IOException {
      if (!isGone(Leftovers::sweep)) {
        complain("a sweep left " + left());
      }
    }

    /** Whether there was a keeper that had been told of everything. */
    private boolean hadKeeper() {
      return lines.contains("opened")
          && lines.contains("without keeper") == lines.contains("with keeper");
    }

    /** At once too, since the long form takes its time. */
    private void complain(String what) {
      System.out.println("CrashTest: " + this + ": " + what);
      complaints.add(this + ": " + what);
    }

    /** Whether it goes in time, and has gone in the end if looking takes longer than that. */
    private boolean isGone(Callable<?> meanwhile) throws IOException {
      try {
        Awaitility.await()
            .atMost(LIMIT)
            .pollInterval(Duration.ofMillis(10))
            .until(() -> {
              meanwhile.call();
              return left().isEmpty();
            });
        return true;
      } catch (ConditionTimeoutException later) {
        return left().isEmpty();
      }
    }

    private List<String> left() throws IOException {
      List<String> left = new ArrayList<>();
      directories().forEach(path -> left.add(path.toString()));
      mark.alive().forEach(pid -> left.add("process " + pid));
      session().forEach(entry -> left.add(entry.toString()));
      return left;
    }

    private List<Path> directories() throws IOException {
      String name = "holdfast-" + jvm.pid() + "-";
      return Groups.anchors().stream()
          .filter(path -> path.getFileName().toString().startsWith(name))
          .toList();
    }

    /** The JVM leads one, and its keeper stays in it. */
    private List<ProcessTable.Entry> session() throws IOException {
      return ProcessTable.system().entries().stream()
          .filter(entry -> entry.session() == jvm.pid() && entry.isAlive())
          .toList();
    }

    @Override
    public String toString() {
      return mechanism + ", " + victim + " at " + at + ": " + lines.reversed().stream().toList();
    }
  }

  /** The life of two jobs; says how far it has come. */
  public static final class Scenario {
    private Scenario() {}

    public static void main(String[] arguments) throws Exception {
      MechanismChoice mechanism = MechanismChoice.valueOf(arguments[0]);
      Marked mark = new Marked(arguments[3]);
      CrashPoint.set(Victim.valueOf(arguments[1]), Integer.parseInt(arguments[2]));
      Limits limits = Limits.builder().memory("256M").pids(64).cpus("1").build();
      try (Job job = Job.builder().mechanism(mechanism).limits(limits).bestEffort(true).open()) {
        System.out.println("opened");
        start(job, mark);
        System.out.println("started");
        if (job.mechanism().isCgroup()) {
          job.freeze();
          job.thaw();
          // In hierarchies of v1 that it has not been in.
          job.limit(Limits.builder().cpusetCpus("0").ioWeight(50).build());
        }
        job.usage();
        System.out.println("killing");
        job.kill();
        if (job.mechanism().isCgroup()) {
          System.out.println("without keeper");
          CrashPoint.killKeepers();
        }
        // By another keeper, and it joins by write now.
        start(job, mark);
        System.out.println("with keeper");
      }
      try (Job second = Job.builder().mechanism(mechanism).open()) {
        start(second, mark);
        second.stop(Signal.TERM, Duration.ofMillis(1), true);
      }
      Job.closeAll();
      System.out.println("closed");
    }

    /** Three processes; two lead sessions of their own where that does not set them free. */
    private static void start(Job job, Marked mark) throws Exception {
      String leave = job.mechanism() == Mechanism.PROCESS_GROUP ? "" : "POSIX::setsid();";
      Command tree =
          Trees.perl(
              "use POSIX; $| = 1; for (1..2) { next if fork; "
                  + leave
                  + " print 'x'; sleep 1000; exit } sleep 1000;",
              mark);
      Child child = job.start(tree.stdout(Output.pipe()));
      for (int i = 0; i < 2; i++) {
        if (child.stdout().read() != 'x') {
          throw new AssertionError(child + " never got ready");
        }
      }
    }
  }
}
