package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Form;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What members of an ordinary user close behind them is closed to that user's sweep, too; but it is
 * that user's to open again.
 */
@HostAndGuest
@Needs({Feature.ROOT, Feature.FREEZER})
@Timeout(300)
class SweepClosedTest {
  @RegisterExtension final Owners owners = new Owners();

  @TempDir Path folder;

  /** What {@code chmod 0} is done to. */
  enum Closed {
    ANCHOR,
    JOBS,
    FILES,
    ALL
  }

  static List<Closed> closed() {
    return Form.isSelection() ? List.of(Closed.ALL) : List.of(Closed.values());
  }

  @ParameterizedTest
  @MethodSource("closed")
  void aSweepOpensAgainWhatMembersHaveClosed(Closed closed) throws Exception {
    String classPath = ClassPath.readableToAll(folder);
    Owner owner = owners.start(owners.asNobody(), classPath, Owner.First.USUAL, Optional.empty());
    owner.dieWithKeeper();
    for (Path path : owner.directories()) {
      boolean anchor = path.getFileName().toString().startsWith("holdfast-");
      if (closed == Closed.FILES || closed == Closed.ALL) {
        closeFiles(path);
      }
      if (closed == Closed.ALL || closed == (anchor ? Closed.ANCHOR : Closed.JOBS)) {
        close(path);
      }
    }
    // The control: without a sweep the tree lives on.
    owner.assertWhole();

    String told = sweep(classPath);

    assertThat(owner.isGone()).as(told).isTrue();
    assertThat(told).contains(owner.anchor()).contains("left=[]");
  }

  /** It cannot be looked at by its own user, so that nothing shows who has the lock. */
  @Test
  void aMemberThatIsClosedToItsUserHasTheLockOfTheDead() throws Exception {
    String classPath = ClassPath.readableToAll(folder);
    Owner owner = owners.start(owners.asNobody(), classPath, Owner.First.USUAL, Optional.empty());
    Path job =
        Groups.membership(owner.directories().stream().filter(p -> p.endsWith("job-1")).toList());
    Process member =
        new ProcessBuilder(
                "sh",
                "-c",
                "echo $$ >\"$1/cgroup.procs\"; cd /; exec setpriv --reuid=65534 --regid=65534"
                    + " --clear-groups perl -e \"$2\" \"$1/..\"",
                "sh",
                job.toString(),
                "use Fcntl ':flock'; $| = 1; syscall("
                    + (System.getProperty("os.arch").equals("aarch64") ? 167 : 157)
                    + ", 4, 0, 0, 0, 0); sysopen(my $d, $ARGV[0], 0) or die $!;"
                    + " print \"open\\n\"; flock($d, LOCK_EX) or die $!; print \"locked\\n\";"
                    + " sleep 1000 while 1;")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(Jvm.line(member)).isEqualTo("open");
      assertThat(sweep(classPath)).doesNotContain(owner.anchor());
      owner.assertWhole();
      owner.dieWithKeeper();
      // The control: without a sweep the tree lives on.
      assertThat(Jvm.line(member)).isEqualTo("locked");
      owner.assertWhole();

      String told = sweep(classPath);

      assertThat(owner.isGone()).as(told).isTrue();
      assertThat(member.waitFor()).as("how it ended").isEqualTo(128 + 9);
      assertThat(told).contains(owner.anchor()).contains("left=[]");
    } finally {
      member.destroyForcibly();
    }
  }

  private static String sweep(String classPath) throws Exception {
    Process sweep =
        Jvm.behind(List.of("sh", "-c", Owners.AS_NOBODY, "sh"), classPath, Sweeper.class);
    String told = new String(sweep.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(sweep.waitFor()).isZero();
    return told;
  }

  private static void closeFiles(Path group) throws IOException {
    for (Path file : Owners.filesOfNobody(group)) {
      close(file);
    }
  }

  private static void close(Path path) throws IOException {
    assertThat(Files.getAttribute(path, "unix:uid")).isEqualTo(Owners.NOBODY);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("---------"));
  }

  /** Prints what it found. */
  public static final class Sweeper {
    private Sweeper() {}

    public static void main(String[] arguments) throws Exception {
      System.out.println(Leftovers.sweep());
    }
  }
}
