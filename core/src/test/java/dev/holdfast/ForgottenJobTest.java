package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.EveryKernel;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@EveryKernel
@Timeout(120)
class ForgottenJobTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void aJobThatIsForgottenWithALivingChildIsClosed() throws Exception {
    int pid = startAndForget();
    assertThat(isAlive(pid)).isTrue();
    await()
        .atMost(PATIENCE)
        .until(() -> {
          System.gc();
          return !isAlive(pid);
        });
  }

  @Test
  void notWhileSomebodyHoldsTheChild() throws Exception {
    Child child = startAndKeepTheChild();
    int other = startAndForget();
    // The other shows that the collector and the cleaner have done their work meanwhile.
    await()
        .atMost(PATIENCE)
        .until(() -> {
          System.gc();
          return !isAlive(other);
        });
    assertThat(isAlive(child.pid())).isTrue();
    child.signal(Signal.KILL);
    child.waitFor();
    Reference.reachabilityFence(child);
  }

  private static int startAndForget() throws IOException, InterruptedException {
    return Job.open().start(Command.of("sleep", "1000")).pid();
  }

  private static Child startAndKeepTheChild() throws IOException, InterruptedException {
    return Job.open().start(Command.of("sleep", "1000"));
  }

  private static boolean isAlive(int pid) throws IOException {
    Path stat = Path.of("/proc", Integer.toString(pid), "stat");
    try {
      String text = Files.readString(stat);
      return text.charAt(text.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException gone) {
      return false;
    }
  }
}
