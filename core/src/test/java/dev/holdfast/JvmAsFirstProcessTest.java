package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.SlowInGuests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A JVM that is the first process of a container, as an image whose command is {@code java} has it.
 * When it is killed, the kernel ends all others in there, the keeper among them; what the keeper
 * did not come to is there for the next start, or a sweep. It is stopped here, so that this is all.
 */
@EveryKernel
@SlowInGuests
@Needs({Feature.ROOT, Feature.FREEZER, Feature.PID_NAMESPACES})
@Timeout(300)
class JvmAsFirstProcessTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @RegisterExtension final Owners owners = new Owners();

  @Test
  void itsDirectoriesAreSwept() throws Exception {
    Owner dead = dead();

    assertThat(Leftovers.sweep().swept())
        .filteredOn(swept -> swept.anchor().equals(dead.anchor()))
        .extracting(Leftovers.Swept::killedMembers)
        .containsExactly(0);

    assertThat(dead.isGone()).isTrue();
  }

  @Test
  void itsDirectoriesGoWithTheNextStart() throws Exception {
    Owner dead = dead();

    Owner next = owners.start(List.of(), ClassPath.own(), Owner.First.USUAL);

    Awaitility.await("the end of the directories").atMost(PATIENCE).until(dead::isGone);
    next.assertWhole();
  }

  /** On v1 who is frozen does not die, and the first process ends after all others. */
  @Test
  void frozenMembersGoWithASweep() throws Exception {
    Owner dead = firstProcess(Owner.First.FROZEN);
    kill(dead);
    Awaitility.await("the end of who is not frozen")
        .atMost(PATIENCE)
        .until(() -> dead.members().size() <= Owner.MEMBERS / 2);
    assertThat(dead.directories()).allSatisfy(path -> assertThat(path).exists());

    Awaitility.await("the sweep")
        .atMost(PATIENCE)
        .until(() -> {
          Leftovers.sweep();
          return dead.isGone();
        });

    awaitEnd(dead);
  }

  /** Killed, and nobody is left in its container. */
  private Owner dead() throws Exception {
    Owner owner = firstProcess(Owner.First.USUAL);
    kill(owner);
    awaitEnd(owner);
    assertThat(owner.members()).isEmpty();
    assertThat(owner.directories()).allSatisfy(path -> assertThat(path).exists());
    return owner;
  }

  private Owner firstProcess(Owner.First first) throws IOException {
    Owner owner =
        owners.start(
            List.of("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
            ClassPath.own(),
            first);
    assertThat(owner.anchor()).startsWith("holdfast-1-");
    return owner;
  }

  private static void kill(Owner owner) throws Exception {
    owner.assertWhole();
    List<ProcessHandle> keepers = Jvm.keepers(owner.jvm());
    assertThat(keepers).hasSize(1);
    Jvm.stop(keepers.getFirst());
    owner.jvm().destroyForcibly();
  }

  private static void awaitEnd(Owner owner) throws InterruptedException {
    assertThat(owner.started().waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(Files.exists(Path.of("/proc", Long.toString(owner.jvm().pid())))).isFalse();
  }
}
