package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.HostAndGuest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A process whose first thread has ended shows itself as a zombie, and lives as long as another of
 * its threads does: a member like any other.
 */
@HostAndGuest
@Timeout(60)
class DeadFirstThreadTest {
  static List<MechanismChoice> mechanisms() throws IOException {
    return List.copyOf(Mechanisms.here().keySet());
  }

  @ParameterizedTest
  @MethodSource("mechanisms")
  void isAMemberAndIsEnded(MechanismChoice mechanism) throws Exception {
    try (Job job = Job.builder().mechanism(mechanism).open()) {
      Child child = job.start(Members.of("l", List.of()).stdout(Output.pipe()));
      assertThat(child.stdout().read()).as("settled").isPositive();
      Awaitility.await("the end of its first thread")
          .atMost(Duration.ofSeconds(20))
          .until(() -> state(child.pid()) == 'Z');
      assertThat(job.members()).hasSize(1);
      assertThat(job.awaitEmpty(Duration.ofMillis(50))).isFalse();
      assertThat(child.exit()).isEmpty();

      job.close();

      assertThat(job.cleanup().orElseThrow().killedMembers()).isEqualTo(1);
      assertThat(child.waitFor(Duration.ofSeconds(20)).orElseThrow().signal())
          .contains(Signal.KILL);
    }
  }

  private static char state(int pid) throws IOException {
    String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
    return stat.charAt(stat.lastIndexOf(')') + 2);
  }
}
