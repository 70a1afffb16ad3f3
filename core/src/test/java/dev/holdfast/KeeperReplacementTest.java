package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.WallTime;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A keeper that dies is replaced while jobs are open, and the new one holds them, even if nothing
 * is started any more.
 */
@EveryKernel
@Needs({Feature.ROOT, Feature.FREEZER})
@Timeout(300)
@ExtendWith(FromALeaf.class)
class KeeperReplacementTest {
  private final List<Owner> owners = new ArrayList<>();

  @AfterEach
  void nothingIsLeft() throws Exception {
    owners.forEach(Owner::end);
    Awaitility.await("the end of what was left")
        .atMost(Duration.ofSeconds(30))
        .until(() -> {
          Leftovers.sweep();
          return owners.stream().allMatch(Owner::isGone);
        });
  }

  private Owner start() throws IOException {
    Owner owner = Owner.start(Owner.First.USUAL);
    owners.add(owner);
    return owner;
  }

  @Test
  void theNextOneEndsTheJobsOfAJvmThatStartsNothingMore() throws Exception {
    Owner owner = start();
    Owner control = start();
    killKeeper(owner);
    awaitKeeper(owner);
    owner.assertWhole();

    owner.jvm().destroyForcibly();
    Awaitility.await("the end").atMost(Duration.ofSeconds(30)).until(owner::isGone);

    // Without any keeper the same tree lives on.
    control.dieWithKeeper();
    WallTime.pass(Duration.ofSeconds(1));
    control.assertWhole();
  }

  @Test
  @Needs(Feature.PIDS)
  void itComesAsSoonAsThereIsRoomForIt() throws Exception {
    Owner owner = start();
    try (Job bound = Job.open()) {
      bound.adopt(owner.jvm());
      bound.limit(Limits.builder().pids(1).build());
      killKeeper(owner);
      WallTime.pass(Duration.ofSeconds(2));
      // The control: it cannot be replaced.
      assertThat(Jvm.keepers(owner.jvm())).isEmpty();
      owner.assertWhole();

      bound.limit(Limits.builder().pids(10000).build());
      awaitKeeper(owner);
      owner.assertWhole();
      owner.jvm().destroyForcibly();
      Awaitility.await("the end").atMost(Duration.ofSeconds(30)).until(owner::isGone);
    }
  }

  private static void killKeeper(Owner owner) throws Exception {
    List<ProcessHandle> keepers = Jvm.keepers(owner.jvm());
    assertThat(keepers).isNotEmpty();
    for (ProcessHandle keeper : keepers) {
      keeper.destroyForcibly();
      keeper.onExit().join();
    }
  }

  /** Until there is one that has been told of the anchor. */
  private static void awaitKeeper(Owner owner) {
    Awaitility.await("another keeper")
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(10))
        .until(() -> {
          for (ProcessHandle keeper : Jvm.keepers(owner.jvm())) {
            if (hasOpen(keeper, owner.anchor())) {
              return true;
            }
          }
          return false;
        });
  }

  private static boolean hasOpen(ProcessHandle process, String name) {
    try (DirectoryStream<Path> all =
        Files.newDirectoryStream(Path.of("/proc/" + process.pid() + "/fd"))) {
      for (Path descriptor : all) {
        if (Files.readSymbolicLink(descriptor).endsWith(name)) {
          return true;
        }
      }
    } catch (IOException gone) {
      return false;
    }
    return false;
  }
}
