package dev.holdfast;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Form;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Unprivileged;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** As {@link OrphanTest}, which has the control, in pid namespaces; in QEMU as a user. */
@HostAndGuest
@Unprivileged
@Needs({Feature.MEMORY, Feature.PID_NAMESPACES})
@Timeout(3600)
@ExtendWith(FromALeaf.class)
class OrphanInNamespaceTest {
  @Test
  void nothingOutlivesTheJvm() throws Exception {
    OrphanTest.rounds(MechanismChoice.PID_NAMESPACE, Form.isSelection() ? 1 : OrphanTest.EACH_WAY);
  }
}
