package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Jvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A start costs the same however large this JVM is: the keeper is what is cloned. */
@HostOnly
@Timeout(300)
class LargeJvmTest {
  private static final int STARTS = 20;
  private static final int THREADS = 200;

  @Test
  void startsWithSixteenGibibytesOfHeapAndBusyThreads() throws Exception {
    long available =
        Files.readAllLines(Path.of("/proc/meminfo")).stream()
            .filter(line -> line.startsWith("MemAvailable:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
            .findFirst()
            .orElse(0);
    assumeTrue(available > 18L << 20, "18 GiB of memory are not to be had");
    Process jvm =
        Jvm.start(
            List.of(
                // Touches its heap with all processors.
                "-XX:-UseSerialGC",
                "-XX:+UseParallelGC",
                "-Xms16g",
                "-Xmx16g",
                "-XX:+AlwaysPreTouch"),
            Starter.class,
            "16");
    try {
      assertThat(Jvm.line(jvm)).isEqualTo("started " + STARTS);
      assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(jvm.exitValue()).isZero();
    } finally {
      jvm.destroyForcibly();
    }
  }

  /** Starts programs while all processors are busy with other threads. */
  public static final class Starter {
    private static volatile boolean done;

    private Starter() {}

    public static void main(String[] arguments) throws Exception {
      for (int i = 0; i < THREADS; i++) {
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              long turns = 0;
              while (!done) {
                turns++;
              }
              assertThat(turns).isNotNegative();
            });
      }
      int started = 0;
      try (Job job = Job.open()) {
        for (int i = 0; i < STARTS; i++) {
          if (job.start(Command.of("/bin/true")).waitFor().isSuccess()) {
            started++;
          }
        }
      }
      done = true;
      System.out.println("started " + started);
    }
  }
}
