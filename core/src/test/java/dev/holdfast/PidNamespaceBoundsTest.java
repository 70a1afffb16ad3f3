package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Tool;
import dev.holdfast.testing.Unprivileged;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * How far a member of a pid namespace reaches, and how far not: each first in a job without one, as
 * the control. As root, and as a user ({@link PidNamespaceAsNobodyTest}).
 */
@HostAndGuest
@Unprivileged
@Needs(Feature.PID_NAMESPACES)
@Timeout(120)
class PidNamespaceBoundsTest {
  @RegisterExtension final Marked mark = Marked.fresh();
  @TempDir Path folder;

  private static Job withoutNamespace() throws IOException {
    return Job.builder().mechanism(MechanismChoice.PROCESS_GROUP).open();
  }

  private static String output(Job job, String... words) throws Exception {
    Child child =
        job.start(
            Command.of(words[0], java.util.Arrays.copyOfRange(words, 1, words.length))
                .stdout(Output.pipe()));
    String text = new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8).strip();
    child.waitFor();
    return text;
  }

  @Test
  void whoIsOutsideCannotBeSignalled() throws Exception {
    String script = "kill -KILL \"$0\" 2> /dev/null && echo sent || echo nobody";
    try (Job inside = PidNamespaceTest.open();
        Job outside = withoutNamespace()) {
      Child sleeper = outside.start(Trees.sleeper(mark));
      String pid = Integer.toString(sleeper.pid());
      assertThat(output(inside, "sh", "-c", script, pid)).isEqualTo("nobody");
      assertThat(sleeper.exit()).isEmpty();
      assertThat(output(outside, "sh", "-c", script, pid)).isEqualTo("sent");
      assertThat(sleeper.waitFor().signal()).contains(Signal.KILL);
    }
  }

  @Test
  void theFirstProcessGetsNoSignalFromInside() throws Exception {
    try (Job job = PidNamespaceTest.open()) {
      job.start(Trees.sleeper(mark));
      long first = PidNamespaceTest.init();
      String all = "for s in TERM INT HUP STOP KILL USR1 SEGV; do kill -$s 1; done; echo done";
      assertThat(output(job, "sh", "-c", all)).isEqualTo("done");
      assertThat(output(job, "echo", "again")).isEqualTo("again");
      assertThat(PidNamespaceTest.init()).isEqualTo(first);
      assertThat(mark.alive()).hasSize(1);
    }
  }

  /** It has kept capabilities in the user namespace that members lost at their exec. */
  @Test
  @Needs(Feature.UNPRIVILEGED)
  void nobodyTracesTheFirstProcess() throws Exception {
    String seize =
        "$n = `uname -m` =~ /x86/ ? 101 : 117; print syscall($n, 0x4206, shift() + 0, 0, 0) == 0 ?"
            + " 'traced' : $!{EPERM} ? 'refused' : $!";
    try (Job job = PidNamespaceTest.open()) {
      assertThat(output(job, "perl", "-MErrno", "-e", seize, "1")).isEqualTo("refused");
      // The control: a process of its own.
      String own =
          "$p = fork; if (!$p) { sleep 1000 } @ARGV = ($p); " + seize + "; kill KILL => $p";
      assertThat(output(job, "perl", "-MErrno", "-e", own)).isEqualTo("traced");
    }
  }

  @Test
  @Needs(Feature.ROOT)
  void mountsComeInAndDoNotGoOut() throws Exception {
    Path within = Files.createDirectory(folder.resolve("within"));
    Path later = Files.createDirectory(folder.resolve("later"));
    try (Job job = PidNamespaceTest.open()) {
      job.start(Trees.sleeper(mark));
      String mount = "mount -t tmpfs none \"$0\" && touch \"$0/file\" && ls \"$0\"";
      assertThat(output(job, "sh", "-c", mount, within.toString())).isEqualTo("file");
      assertThat(within.resolve("file")).doesNotExist();
      // Where the machine's mounts are private, nothing is handed on.
      String root = output(job, "findmnt", "--noheadings", "--output", "PROPAGATION", "/");
      Tool.run("mount", "-t", "tmpfs", "none", later.toString());
      try {
        Files.createFile(later.resolve("file"));
        boolean handedOn = root.contains("slave");
        assertThat(output(job, "ls", later.toString())).isEqualTo(handedOn ? "file" : "");
      } finally {
        Tool.run("umount", later.toString());
      }
    }
  }

  /** {@link PidNamespaceAsNobodyTest} has root make it: {@code id}, set-user-id. */
  @Test
  void aSetUserIdProgramGainsNothing() throws Exception {
    String program = prepared("dev.holdfast.set-user-id");
    try (Job job = PidNamespaceTest.open();
        Job without = withoutNamespace()) {
      assertThat(output(without, program, "-u")).isEqualTo("0");
      assertThat(output(job, program, "-u")).isEqualTo(output(job, "id", "-u")).isNotEqualTo("0");
    }
  }

  /** A file that a supplementary group of ours may read, and nobody else. */
  @Test
  void supplementaryGroupsCountAndHaveNoName() throws Exception {
    String file = prepared("dev.holdfast.group-file");
    try (Job job = PidNamespaceTest.open()) {
      assertThat(output(job, "id", "-G")).contains("65534").doesNotContain("4711");
      assertThat(output(job, "cat", file)).isEqualTo("readable");
    }
  }

  private static String prepared(String property) {
    String path = System.getProperty(property);
    Assumptions.assumeTrue(path != null, "nobody has made it");
    return Objects.requireNonNull(path);
  }

  /** What the page says; if this fails one day, it is to be mended. */
  @Test
  void whoIgnoresSigchldHidesWhatItsChildrenUsed() throws Exception {
    // Much more than it takes to start a perl, in User-mode Linux too.
    String burn = "if (!fork) { while ((times)[0] < 2) { $i++ for 1..1000 } exit } wait";
    try (Job job = PidNamespaceTest.open()) {
      job.start(Trees.perl("$SIG{CHLD} = 'IGNORE'; " + burn, mark)).waitFor();
      Duration hidden = job.usage().cpu().total().orElseThrow();
      assertThat(hidden).isLessThan(Duration.ofMillis(1900));
      job.start(Trees.perl(burn, mark)).waitFor();
      assertThat(job.usage().cpu().total().orElseThrow().minus(hidden))
          .isGreaterThan(Duration.ofMillis(1900));
    }
  }
}
