package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.testing.Form;
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
@Timeout(900)
class LargeJvmTest {
  private static final int STARTS = 20;

  /** To touch so much takes minutes on some machines, and so does a turn among so many threads. */
  @Test
  void startsWithAHeapOfGibibytesAndBusyThreads() throws Exception {
    long available =
        Files.readAllLines(Path.of("/proc/meminfo")).stream()
            .filter(line -> line.startsWith("MemAvailable:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
            .findFirst()
            .orElse(0);
    int gibibytes = available > 18L << 20 ? Form.of(2, 16) : 2;
    int threads = Form.of(20, 200);
    assumeTrue(available > 4L << 20, "4 GiB of memory are not to be had");
    Process jvm =
        Jvm.start(
            List.of(
                // Touches its heap with all processors.
                "-XX:-UseSerialGC",
                "-XX:+UseParallelGC",
                "-Xms" + gibibytes + "g",
                "-Xmx" + gibibytes + "g",
                "-XX:+AlwaysPreTouch"),
            Starter.class,
            Integer.toString(threads));
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
      int started = 0;
      try (Job job = Job.open()) {
        // Its classes are loaded before: that, too, would take its turn among the threads.
        job.start(Command.of("/bin/true")).waitFor();
        for (int i = 0; i < Integer.parseInt(arguments[0]); i++) {
          Thread.ofPlatform().daemon().start(Starter::turn);
        }
        for (int i = 0; i < STARTS; i++) {
          if (job.start(Command.of("/bin/true")).waitFor().isSuccess()) {
            started++;
          }
        }
      }
      done = true;
      System.out.println("started " + started);
    }

    private static void turn() {
      long turns = 0;
      while (!done) {
        turns++;
      }
      assertThat(turns).isNotNegative();
    }
  }
}
