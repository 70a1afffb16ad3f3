package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Place;
import dev.holdfast.testing.WallTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** We are told to stop at any moment of our start: before the JVM listens, and after. */
@HostAndGuest
@Timeout(300)
class EarlySignalTest {
  private static final boolean HOST = !Place.isGuest();

  /** Of one round, as long as the JVM breaks down in it. */
  private static final int ATTEMPTS = 5;

  @Test
  void nothingIsLeftAndTheStatusIsTheSignals() throws Exception {
    int rounds = HOST ? 40 : 6;
    long step = TimeUnit.MILLISECONDS.toNanos(HOST ? 20 : 300);
    // Moments spread over the start.
    for (int round = 0; round < rounds; round++) {
      Duration moment = Duration.ofNanos(round * step);
      int attempt = 1;
      while (!isToldToStop(moment)) {
        assertThat(attempt++).as("JVMs that broke down after %s", moment).isLessThan(ATTEMPTS);
      }
    }
  }

  /**
   * False if the signal met the JDK before it can run any code of ours: while it initialises
   * itself, about one in a hundred makes it give up ("Bad level: 2"). There is nothing to be seen
   * of us then, but nothing may be left either.
   */
  private static boolean isToldToStop(Duration moment) throws Exception {
    Marked mark = Marked.fresh();
    Process process =
        HoldfastProcess.start(
            HoldfastProcess.words(
                HoldfastProcess.parts(), "run", "--", "perl", "-e", "sleep 1000", mark.text()));
    try {
      WallTime.pass(moment);
      process.toHandle().destroy(); // Process.destroy closes what is to be read
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("after %s it ends", moment).isTrue();
      await("nobody after " + moment)
          .atMost(Duration.ofSeconds(10))
          .until(() -> mark.alive().isEmpty());
      long pid = process.pid();
      await("no group after " + moment)
          .atMost(Duration.ofSeconds(10))
          .until(() -> groupsOf(pid).isEmpty());
      HoldfastProcess.Ended ended = HoldfastProcess.await(process);
      if ((ended.out() + ended.err()).contains("Error occurred during initialization of VM")) {
        return false;
      }
      assertThat(ended.status()).as("after %s: %s", moment, ended).isEqualTo(143);
      return true;
    } finally {
      process.destroyForcibly();
      mark.end();
    }
  }

  /** The positive control: an anchor is found while its command runs. */
  @Test
  void aGroupIsFoundWhileThereIsOne() throws Exception {
    Process process =
        HoldfastProcess.start(
            HoldfastProcess.words(
                HoldfastProcess.parts(), "run", "--mechanism", "cgroup", "--", "sleep", "1000"));
    try {
      await().atMost(Duration.ofSeconds(60)).until(() -> !groupsOf(process.pid()).isEmpty());
    } finally {
      process.destroy();
      process.waitFor();
    }
    await().atMost(Duration.ofSeconds(10)).until(() -> groupsOf(process.pid()).isEmpty());
  }

  private static List<Path> groupsOf(long pid) throws IOException {
    try (Stream<Path> all = Files.walk(Path.of("/sys/fs/cgroup"))) {
      return all.filter(path -> path.getFileName().toString().startsWith("holdfast-" + pid + "-"))
          .toList();
    } catch (UncheckedIOException vanished) {
      return List.of(Path.of("one that just went"));
    }
  }
}
