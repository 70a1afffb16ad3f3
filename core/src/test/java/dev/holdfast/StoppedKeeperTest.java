package dev.holdfast;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Needs;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Members may stop a keeper of their own user. When the JVM dies, nobody of its session is left who
 * could continue the keeper's process group: so the kernel does. ({@link ProcessGroupTest} has the
 * same for sessions.)
 */
@HostAndGuest
@Needs(Feature.FREEZER)
@Timeout(180)
@ExtendWith(FromALeaf.class)
class StoppedKeeperTest {
  @Test
  void endsTheGroupsOfADeadJvm() throws Exception {
    // In a session of its own, so that whoever takes the keeper over is not of it.
    Owner owner =
        new Owner(List.of("setsid"), ClassPath.own(), Owner.First.FROZEN, Optional.empty());
    List<ProcessHandle> keepers = List.of();
    try {
      keepers = Jvm.stopKeepers(owner.jvm());
      owner.assertWhole();
      owner.jvm().destroyForcibly();
      Awaitility.await("the end").atMost(Duration.ofSeconds(60)).until(owner::isGone);
    } finally {
      Jvm.continueAll(keepers);
      owner.end();
    }
  }
}
