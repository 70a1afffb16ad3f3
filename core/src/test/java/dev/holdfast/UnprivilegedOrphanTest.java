package dev.holdfast;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Form;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Unprivileged;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the members of an ordinary user close behind them is closed to that user: root's rights,
 * which {@link ForkBombTest} and {@link OrphanTest} have elsewhere, are not asked what a mode is.
 */
@Unprivileged
@Needs({Feature.UNPRIVILEGED, Feature.PURE_V2, Feature.PIDS, Feature.MEMORY})
@Timeout(1800)
@ExtendWith(FromALeaf.class)
class UnprivilegedOrphanTest {
  /** Of processes of a bomb: enough to close groups in each other's way, in seconds in QEMU. */
  private static final String FEW = "16";

  @ParameterizedTest
  @EnumSource
  void nothingIsLeftOfABombThatClosesItsGroups(ForkBombTest.End end) throws Exception {
    ForkBombTest.nothingIsLeft("closed", FEW, end);
  }

  @Test
  void nothingOutlivesTheJvm() throws Exception {
    OrphanTest.rounds(
        MechanismChoice.CGROUP,
        Form.of(1, OrphanTest.EACH_WAY),
        OrphanRound.Way.KILL.seedFrom(OrphanTest.seed()));
  }
}
