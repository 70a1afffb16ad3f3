package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.linux.ProcessTable;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A child that somebody traces when it ends, as a debugger does: the kernel shows the end to him
 * first, and to its parent afterwards, without telling that.
 */
@HostAndGuest
@Needs(Feature.ROOT)
@Timeout(60)
class TracedTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  static List<MechanismChoice> mechanisms() throws IOException {
    return List.copyOf(Mechanisms.here().keySet());
  }

  @ParameterizedTest
  @MethodSource("mechanisms")
  void itsEndIsSeenOnceTheTracerHasSeenIt(MechanismChoice mechanism) throws Exception {
    try (Job job = Job.builder().mechanism(mechanism).open()) {
      Child child = job.start(Members.of("r", List.of()).stdout(Output.pipe()));
      assertThat(child.stdout().read()).as("settled").isPositive();
      Process tracer = new ProcessBuilder(Members.tracer(child.pid()).words()).start();
      try {
        assertThat(tracer.getInputStream().read()).as("attached").isPositive();
        child.signal(Signal.KILL);
        Awaitility.await("its end")
            .atMost(LIMIT)
            .until(
                () -> !Objects.requireNonNull(ProcessTable.system().entry(child.pid())).isAlive());
        // The control: it is kept from us.
        assertThat(child.waitFor(Duration.ofMillis(100))).isEmpty();

        tracer.getOutputStream().close();

        assertThat(child.waitFor(LIMIT).orElseThrow().signal()).contains(Signal.KILL);
        assertThat(tracer.waitFor()).isZero();
      } finally {
        tracer.destroyForcibly();
      }
    }
  }
}
