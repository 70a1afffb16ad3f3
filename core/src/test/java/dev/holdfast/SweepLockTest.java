package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Form;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The lock of an anchor tells whether its owner lives; but to take a lock it is enough to have the
 * directory open, and members can open that of their own anchor.
 */
@EveryKernel
@Needs({Feature.ROOT, Feature.FREEZER})
@Timeout(300)
class SweepLockTest {
  private static final int NOBODY = 65534;

  /** What marks begin with: the owner is not to bear the members'. */
  private static final String MARK = "mark-";

  private static final String OPEN =
      "use Fcntl ':flock'; use Socket; $SIG{HUP} = 'IGNORE'; $| = 1; my ($dir, $keeper) = @ARGV;"
          + " sysopen(my $d, $dir, 0) or die \"$dir: $!\"; print \"open\\n\"; ";

  private static final String SLEEP = " print \"locked\\n\"; sleep 1000 while 1;";

  /** How a member comes by the lock. */
  enum Way {
    WAITS("flock($d, LOCK_EX) or die $!;" + SLEEP),
    /** Two of them have it at once. */
    SHARES("fork; flock($d, LOCK_SH) or die $!;" + SLEEP),
    /** Who has taken it is gone then. */
    INHERITS("flock($d, LOCK_EX) or die $!; exit if fork;" + SLEEP),
    /** No descriptor shows it: the only one is in a message that nobody receives. */
    SENDS(
        "socketpair(my $a, my $b, AF_UNIX, SOCK_DGRAM, 0) or die $!;"
            + " flock($d, LOCK_EX) or die $!;"
            + " my $x = 'x'; my $vector = pack('Pq', $x, 1);"
            + " my $control = pack('qiiix4', 20, 1, 1, fileno($d));"
            + " my $message = pack('QQPQPQQ', 0, 0, $vector, 1, $control, 24, 0);"
            + " syscall("
            + (System.getProperty("os.arch").equals("aarch64") ? 211 : 46)
            + ", fileno($a), $message, 0) > 0 or die $!; close $d;"
            + SLEEP),
    /** It has the owner's own: a copy of the keeper's descriptor, from while that lived. */
    COPIES(
        "my $p = syscall(434, $keeper + 0, 0); my $got = -1; for my $n (3 .. 40) {"
            + " my $c = syscall(438, $p, $n, 0); next if $c < 0;"
            + " open(my $f, '<', \"/proc/self/fdinfo/$c\"); $got = $c if grep /FLOCK/, <$f>; }"
            + " die 'no lock' if $got < 0;"
            + SLEEP);

    private final String program;

    Way(String program) {
      this.program = program;
    }
  }

  @RegisterExtension final Marked mark = Marked.fresh();

  private final List<Process> started = new ArrayList<>();
  private List<Path> directories = List.of();

  /** What the member has said. */
  @TempDir Path folder;

  private Path log;

  @AfterEach
  void nothingIsLeft() {
    started.forEach(Process::destroyForcibly);
    mark.end();
    Awaitility.await("the end of what was left")
        .atMost(Duration.ofSeconds(30))
        .until(() -> {
          Leftovers.sweep();
          return directories.stream().noneMatch(Files::exists);
        });
  }

  static List<Way> ways() {
    return Form.isSelection() ? List.of(Way.WAITS, Way.SENDS) : List.of(Way.values());
  }

  @ParameterizedTest
  @MethodSource("ways")
  void aMemberHasTheLockOfTheDead(Way way) throws Exception {
    Process owner = owner(way, "root");
    int members = mark.alive().size();
    assertLivingAndWhole(members);
    Jvm.killWithKeeper(owner);
    assertSwept(owner, way);
  }

  @Test
  void aMemberOfAnotherUserHasTheLockOfTheDead() throws Exception {
    Process owner = owner(Way.WAITS, "nobody");
    int members = mark.alive().size();
    assertThat(mark.alive())
        .anySatisfy(pid ->
            assertThat(Files.getAttribute(Path.of("/proc/" + pid), "unix:uid")).isEqualTo(NOBODY));
    assertLivingAndWhole(members);
    Jvm.killWithKeeper(owner);
    assertSwept(owner, Way.WAITS);
  }

  /** As a keeper that is still at work would have it. */
  @Test
  void whoHasTheLockOutsideIsAnOwner() throws Exception {
    Process owner = owner(Way.COPIES, "root");
    Path anchor = anchor();
    int members = mark.alive().size();
    Process outside =
        new ProcessBuilder(
                "perl",
                "-e",
                OPEN + Way.COPIES.program,
                anchor.toString(),
                Long.toString(Jvm.keepers(owner.toHandle()).getFirst().pid()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    started.add(outside);
    while (!"locked".equals(Jvm.line(outside))) {
      assertThat(outside.isAlive()).isTrue();
    }
    Jvm.killWithKeeper(owner);
    assertLivingAndWhole(members);
    outside.destroyForcibly().waitFor();
    assertSwept(owner, Way.COPIES);
  }

  private void assertLivingAndWhole(int members) throws IOException {
    Leftovers found = Leftovers.sweep();
    assertThat(found.living()).isPositive();
    assertThat(found.swept()).noneMatch(swept -> swept.path().equals(anchor().toString()));
    assertThat(mark.alive()).hasSize(members);
    assertThat(directories).allSatisfy(path -> assertThat(path).exists());
  }

  /** The control comes first: the tree lives, and the lock is not to be had. */
  private void assertSwept(Process owner, Way way) throws Exception {
    if (way != Way.COPIES) {
      Awaitility.await("the lock").atMost(Duration.ofSeconds(20)).until(() -> hasLine("locked"));
    }
    assertThat(mark.alive()).isNotEmpty();
    assertThat(
            new ProcessBuilder(
                    "perl",
                    "-e",
                    "use Fcntl ':flock'; sysopen(my $d, $ARGV[0], 0) or die $!;"
                        + " exit(flock($d, LOCK_EX | LOCK_NB) ? 0 : 7)",
                    anchor().toString())
                .start()
                .waitFor())
        .as("whether the lock is refused")
        .isEqualTo(7);
    assertThat(directories).allSatisfy(path -> assertThat(path).exists());

    Leftovers found = Leftovers.sweep();

    assertThat(mark.alive()).as("%s", found).isEmpty();
    assertThat(directories).allSatisfy(path -> assertThat(path).doesNotExist());
    assertThat(found.left()).isEmpty();
    assertThat(found.swept())
        .filteredOn(swept -> swept.path().equals(directories.getLast().toString()))
        .singleElement()
        .satisfies(swept -> assertThat(swept.killedMembers()).isPositive());
    assertThat(owner.isAlive()).isFalse();
  }

  private boolean hasLine(String line) throws IOException {
    return Files.readAllLines(log).contains(line);
  }

  private Path anchor() {
    return directories.getLast();
  }

  /** A JVM with one job: a sleeper, and a member that is after the lock. */
  private Process owner(Way way, String user) throws Exception {
    log = Files.createFile(folder.resolve("said"));
    Process owner =
        Jvm.behind(
            List.of(),
            ClassPath.own(),
            Victim.class,
            way.name(),
            user,
            mark.text().substring(MARK.length()),
            log.toString());
    started.add(owner);
    List<Path> told = new ArrayList<>();
    for (String line = Jvm.line(owner); !"ready".equals(line); line = Jvm.line(owner)) {
      assertThat(line).as("the owner's output").isNotNull();
      told.add(Path.of(line));
    }
    directories = told;
    String last = way == Way.COPIES ? "locked" : "open";
    Awaitility.await(last).atMost(Duration.ofSeconds(20)).until(() -> hasLine(last));
    return owner;
  }

  /** Prints its directories, that of the lock last, and "ready". */
  public static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws Exception {
      Way way = Way.valueOf(arguments[0]);
      Marked mark = new Marked(MARK + arguments[2]);
      Job job = Job.open();
      job.start(Trees.sleeper(mark));
      Path anchor = Groups.membership(Groups.directoriesOf(job)).getParent();
      String keeper = Long.toString(Jvm.keepers(ProcessHandle.current()).getFirst().pid());
      Command hostile =
          Command.of("perl", "-e", OPEN + way.program, anchor.toString(), keeper, mark.text())
              .stdout(Output.file(Path.of(arguments[3])))
              .stderr(Output.inherit());
      if (!arguments[1].equals("root")) {
        hostile = hostile.identity(Identity.lookup(arguments[1]));
      }
      job.start(hostile);
      mark.await(way == Way.SHARES ? 3 : 2);
      Groups.directoriesOf(job).forEach(System.out::println);
      for (Path directory : Groups.directoriesOf(job)) {
        if (!directory.getParent().equals(anchor)) {
          System.out.println(directory.getParent());
        }
      }
      System.out.println(anchor);
      System.out.println("ready");
      System.out.flush();
      Jvm.awaitDeath();
      System.out.println(job);
    }
  }
}
