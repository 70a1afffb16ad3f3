package dev.holdfast.containment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.Place;
import dev.holdfast.linux.FaultMatrix;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every change that the making of an anchor, its use for more controllers and its end make in the
 * kernel's filesystem, failing in every way: it is said clearly, and neither a directory nor a
 * keeper is left.
 */
@EveryKernel
@Needs(Feature.ROOT)
@Timeout(600)
class AnchorFaultTest {
  private static final List<String> FALL_BACKS =
      List.of(
          // No exception: a limit that needs one of the controllers fails with this reason.
          "(openat|write) cgroup.subtree_control .*",
          // Before Linux 5.7: nested groups that vanish go unnoticed.
          "fsetxattr user.holdfast EOPNOTSUPP");

  private final List<Anchor> anchors = new ArrayList<>();

  @Test
  void anAnchor() throws Exception {
    CgroupHost host = CgroupHost.read();
    List<Path> bases =
        Delegation.probe(host, Optional.empty()).places().stream()
            .filter(Place::writable)
            .map(Place::base)
            .toList();
    Set<Path> others = anchorsIn(bases);
    Set<Long> keepers = keepers();
    Anchor control = Anchor.create(Delegation.probe(host, Optional.empty()));
    try {
      // So much for the control: what is looked for is found while it is there.
      assertThat(anchorsIn(bases)).hasSizeGreaterThan(others.size());
      assertThat(keepers()).hasSizeGreaterThan(keepers.size());
    } finally {
      control.close();
    }
    FaultMatrix matrix = new FaultMatrix();
    matrix.run(
        attempts ->
            attempts.attempt(() -> {
              Anchor anchor = Anchor.create(Delegation.probe(host, Optional.empty()));
              anchors.add(anchor);
              attempts.attempt(() -> anchor.use(Set.of("cpuset")));
              attempts.attempt(() -> anchor.newJob().remove());
              attempts.attempt(anchor::close);
            }),
        fault -> {
          // What could not be removed at once is the keepers' to remove, and they do.
          Awaitility.await(fault)
              .atMost(Duration.ofSeconds(20))
              .until(() -> anchorsIn(bases).equals(others) && keepers().equals(keepers));
          anchors.clear();
        });
    assertThat(matrix.runs()).isGreaterThan(10);
    assertThat(matrix.silentBut(FALL_BACKS)).isEmpty();
  }

  /** This JVM's anchors. */
  private static Set<Path> anchorsIn(List<Path> bases) {
    String ours = Anchor.PREFIX + ProcessHandle.current().pid() + "-";
    Set<Path> found = new TreeSet<>();
    for (Path base : bases) {
      try (Stream<Path> all = Files.list(base)) {
        all.filter(path -> path.getFileName().toString().startsWith(ours)).forEach(found::add);
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
    return found;
  }

  /** This JVM's keepers. One that has ended is the JVM's to reap, which is not what is asked. */
  private static Set<Long> keepers() {
    Set<Long> found = new TreeSet<>();
    ProcessHandle.current()
        .children()
        .map(ProcessHandle::pid)
        .filter(AnchorFaultTest::isKeeper)
        .forEach(found::add);
    return found;
  }

  private static boolean isKeeper(long pid) {
    try {
      Path proc = Path.of("/proc/" + pid);
      String stat = Files.readString(proc.resolve("stat"));
      boolean dead = stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
      return !dead && Files.readString(proc.resolve("cmdline")).startsWith("holdfast-keeper");
    } catch (IOException gone) {
      return false;
    }
  }
}
