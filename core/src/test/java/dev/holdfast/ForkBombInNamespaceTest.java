package dev.holdfast;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Unprivileged;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** As {@link ForkBombTest}, which has the control, in pid namespaces; in QEMU as a user. */
@HostAndGuest
@Unprivileged
@Needs({Feature.PIDS, Feature.PID_NAMESPACES})
@Timeout(600)
@ExtendWith(FromALeaf.class)
class ForkBombInNamespaceTest {
  @AfterAll
  static void report() {
    ForkBombTest.report();
  }

  @ParameterizedTest
  @MethodSource("dev.holdfast.ForkBombTest#bombsWithoutGroups")
  void nothingIsLeft(String kind, String limit, ForkBombTest.End end) throws Exception {
    ForkBombTest.nothingIsLeftInANamespace(kind, limit, end);
  }
}
