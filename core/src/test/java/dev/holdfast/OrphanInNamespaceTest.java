package dev.holdfast;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** As {@link OrphanTest}, which has the control, in pid namespaces. */
@HostAndGuest
@Needs({Feature.MEMORY, Feature.PID_NAMESPACES})
@Timeout(3600)
@ExtendWith(FromALeaf.class)
class OrphanInNamespaceTest {
  @Test
  void nothingOutlivesTheJvm() throws Exception {
    OrphanTest.rounds(MechanismChoice.PID_NAMESPACE, Place.isGuest() ? 1 : OrphanTest.EACH_WAY);
  }

  @Tag("long")
  @Test
  @EveryKernel
  void nothingOutlivesTheJvmInAnyWay() throws Exception {
    OrphanTest.rounds(MechanismChoice.PID_NAMESPACE, OrphanTest.EACH_WAY);
  }
}
