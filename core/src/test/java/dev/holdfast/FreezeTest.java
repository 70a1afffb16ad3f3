package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Place;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Freezing beside starts. */
@EveryKernel
@Needs(Feature.FREEZER)
@Timeout(300)
class FreezeTest {
  /** A start is refused or comes to its end; it never waits for the thaw. */
  @Test
  void aStartNeverWaitsInAFrozenJob() throws Exception {
    int rounds = Place.isGuest() ? 50 : 300;
    AtomicInteger refused = new AtomicInteger();
    try (Job job = Job.open()) {
      long usual = usualStart(job);
      for (int round = 0; round < rounds; round++) {
        CompletableFuture<Void> start = new CompletableFuture<>();
        // From at once to three times what a start takes here.
        long wait = round % 30 * usual / 10;
        Thread.ofPlatform()
            .start(() -> {
              try {
                job.start(Command.of("true"));
                start.complete(null);
              } catch (HoldfastException frozen) {
                refused.incrementAndGet();
                start.complete(null);
              } catch (Exception failure) {
                start.completeExceptionally(failure);
              }
            });
        // Another moment of the start each time.
        long until = System.nanoTime() + wait;
        while (System.nanoTime() < until) {
          Thread.onSpinWait();
        }
        job.freeze();
        try {
          start.get(5, TimeUnit.SECONDS);
        } catch (TimeoutException hangs) {
          job.thaw();
          assertThat(round).as("the round in which a start waits for the thaw").isNegative();
        } catch (ExecutionException failure) {
          throw new AssertionError(failure);
        }
        job.thaw();
      }
    }
    assertThat(refused.get()).isPositive().isLessThan(rounds);
  }

  /** Nanoseconds from the making of a thread to the end of its start, warmed up. */
  private static long usualStart(Job job) throws Exception {
    long last = 0;
    for (int i = 0; i < 5; i++) {
      CompletableFuture<Child> started = new CompletableFuture<>();
      long begin = System.nanoTime();
      Thread.ofPlatform()
          .start(() -> {
            try {
              started.complete(job.start(Command.of("true")));
            } catch (Exception failure) {
              started.completeExceptionally(failure);
            }
          });
      Child child = started.get(60, TimeUnit.SECONDS);
      last = System.nanoTime() - begin;
      child.waitFor();
    }
    return last;
  }
}
