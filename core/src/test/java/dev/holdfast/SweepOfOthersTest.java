package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.SlowInGuests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Whether an owner lives is told by its lock, and not by its number, its user or its container. */
@EveryKernel
@SlowInGuests
@Needs({Feature.ROOT, Feature.FREEZER})
@Timeout(300)
class SweepOfOthersTest {
  private static final int NOBODY = 65534;

  @RegisterExtension final Owners owners = new Owners();

  @TempDir Path folder;

  /** Both have the same process number, each in its own container. */
  @Test
  @Needs(Feature.PID_NAMESPACES)
  void inContainers() throws Exception {
    Owner dead = inContainer();
    Owner living = inContainer();
    assertThat(number(dead)).isEqualTo(number(living)).isNotEqualTo(dead.jvm().pid());
    dead.dieWithKeeper();

    sweepOf(dead);

    living.assertWhole();
    assertSweptInTheEnd(living);
  }

  @Test
  void ofAnotherUser() throws Exception {
    Owner living = ofNobody();
    assertThat(Files.getAttribute(proc(living.jvm().pid()), "unix:uid")).isEqualTo(NOBODY);
    assertThat(living.members())
        .allSatisfy(pid -> assertThat(Files.getAttribute(proc(pid), "unix:uid")).isEqualTo(NOBODY));

    assertSweptInTheEnd(living);
  }

  /** And not before. */
  private static void assertSweptInTheEnd(Owner owner) throws Exception {
    List<Long> members = owner.members();
    Leftovers found = Leftovers.sweep();
    assertThat(found.living()).isPositive();
    assertThat(found.swept()).noneMatch(swept -> swept.anchor().equals(owner.anchor()));
    assertThat(owner.members()).containsExactlyInAnyOrderElementsOf(members);
    owner.assertWhole();
    assertThat(owner.jvm().isAlive()).isTrue();

    owner.dieWithKeeper();
    sweepOf(owner);
  }

  /** The dead one's members live until then. */
  private static void sweepOf(Owner dead) throws IOException {
    dead.assertWhole();
    assertThat(Leftovers.sweep().swept())
        .filteredOn(swept -> swept.anchor().equals(dead.anchor()))
        .extracting(Leftovers.Swept::killedMembers)
        .containsExactly(Owner.MEMBERS);
    assertThat(dead.isGone()).isTrue();
  }

  /** Whose first process is not the JVM, and lives on. */
  private Owner inContainer() throws IOException {
    List<String> before =
        List.of(
            "unshare",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            "\"$@\"; exec sleep 1000",
            "sh");
    return owners.start(before, ClassPath.own(), Owner.First.FROZEN);
  }

  /** In the group, which is his: he could not move anybody into it. */
  private Owner ofNobody() throws IOException {
    owners.group().delegateTo(NOBODY, NOBODY);
    StringBuilder script = new StringBuilder("set -e; ");
    for (Path directory : owners.directories()) {
      script.append("echo $$ >'").append(directory).append("/cgroup.procs'; ");
    }
    script
        .append("cd /; exec setpriv --reuid=" + NOBODY + " --regid=" + NOBODY)
        .append(" --clear-groups \"$@\"");
    return owners.start(
        List.of("sh", "-c", script.toString(), "sh"),
        ClassPath.readableToAll(folder),
        Owner.First.FROZEN,
        Optional.empty());
  }

  /** As its anchor's name has it. */
  private static long number(Owner owner) {
    return Long.parseLong(owner.anchor().split("-", -1)[1]);
  }

  private static Path proc(long pid) {
    return Path.of("/proc", Long.toString(pid));
  }
}
