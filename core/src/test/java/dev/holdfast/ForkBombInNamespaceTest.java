package dev.holdfast;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** As {@link ForkBombTest}, which has the control and the long form, in pid namespaces. */
@HostAndGuest
@Needs({Feature.PIDS, Feature.PID_NAMESPACES})
@Timeout(600)
@ExtendWith(FromALeaf.class)
class ForkBombInNamespaceTest {
  static Stream<Arguments> bombs() {
    return Place.isGuest()
        ? Stream.of(
            Arguments.of("setsid", "", ForkBombTest.End.CLOSE),
            Arguments.of("double", "", ForkBombTest.End.KEEPER))
        : ForkBombTest.everyBombWithoutGroups();
  }

  @ParameterizedTest
  @MethodSource("bombs")
  void nothingIsLeft(String kind, String limit, ForkBombTest.End end) throws Exception {
    ForkBombTest.nothingIsLeftInANamespace(kind, limit, end);
  }
}
