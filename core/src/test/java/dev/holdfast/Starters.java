package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Place;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;

/** Threads that start one child after the other in a job, until it is closed. */
final class Starters {
  private static final int THREADS = 3;
  private static final int KILLS = Place.isGuest() ? 8 : 20;

  private final AtomicInteger started = new AtomicInteger();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  private Starters(Job job, Command command) {
    for (int i = 0; i < THREADS; i++) {
      threads.add(Thread.ofPlatform().start(() -> startUntilClosed(job, command)));
    }
  }

  /** Each child is killed, or comes after that kill; none is left when closing has returned. */
  static void besideKillsAndTheEnd(Job job, Command command, Marked mark) throws Exception {
    Starters starters = new Starters(job, command);
    for (int kill = 1; kill <= KILLS; kill++) {
      int enough = 5 * kill;
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> starters.started.get() >= enough || !starters.failures.isEmpty());
      job.kill();
    }
    job.close();
    assertThat(mark.alive()).isEmpty();
    for (Thread thread : starters.threads) {
      thread.join();
    }
    assertThat(starters.failures).isEmpty();
    assertThat(mark.alive()).isEmpty();
  }

  private void startUntilClosed(Job job, Command command) {
    try {
      while (true) {
        job.start(command);
        started.incrementAndGet();
      }
    } catch (HoldfastException closed) {
      if (!closed.getMessage().contains("is closed")) {
        failures.add(closed);
      }
    } catch (Exception failure) {
      failures.add(failure);
    }
  }
}
