package dev.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Starts through the keeper, also while keepers die. */
@EveryKernel
@Timeout(120)
class KeeperClientTest {
  private final KeeperClient client = new KeeperClient();
  private Descriptor nothing;

  @BeforeEach
  void open() throws Exception {
    nothing = Files.devNull();
  }

  @AfterEach
  void close() {
    client.close();
  }

  @Test
  void startsAndReaps() throws Exception {
    assertThat(run("exit 7").code()).isEqualTo(7);
    assertThat(run("kill -KILL $$").signal()).isEqualTo(9);
  }

  @Test
  void tellsWhichStepFailed() throws Exception {
    assertThat(client.start(request("/no/such/program")))
        .isEqualTo(new StartOutcome.Failed(StartStep.EXEC, Errno.ENOENT, 0));
    assertThat(client.start(request("/bin/true").directory(bytes("/no/such/place"))))
        .isEqualTo(new StartOutcome.Failed(StartStep.DIRECTORY, Errno.ENOENT, 0));
    assertThat(
            client.start(
                request("/bin/true")
                    .resourceLimits(List.of(new StartRequest.ResourceLimit(99, 1, 1)))))
        .isEqualTo(new StartOutcome.Failed(StartStep.RLIMIT, Errno.EINVAL, 99));
  }

  @Test
  void anotherKeeperTakesThePlaceOfADeadOne() throws Exception {
    assertThat(run("exit 0").code()).isZero();
    int first = client.keeperPid();
    kill(first);
    assertThat(run("exit 5").code()).isEqualTo(5);
    assertThat(client.keeperPid()).isNotZero().isNotEqualTo(first);
  }

  /**
   * Every start gives its own exit code, exactly once, whatever happens to the keepers meanwhile.
   */
  @Test
  void noStartIsLostOrDoubledWhileKeepersDie() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger killed = new AtomicInteger();
    Set<String> reasons = ConcurrentHashMap.newKeySet();
    Semaphore progress = new Semaphore(0);
    Pipe count = Pipe.forReading();
    Thread killer =
        Thread.ofPlatform()
            .start(() -> {
              while (killed.get() < 20) {
                // One death for each start that came through: they alternate on any machine.
                progress.acquireUninterruptibly();
                if (done.get()) {
                  return;
                }
                int pid = client.keeperPid();
                if (pid != 0) {
                  try {
                    kill(pid);
                    killed.incrementAndGet();
                  } catch (Exception gone) {
                    // somebody else saw it end first
                  }
                }
              }
            });
    int threads = 8;
    int each = dev.holdfast.testing.Place.isGuest() ? 5 : 25;
    AtomicInteger failures = new AtomicInteger();
    List<Thread> starters = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      starters.add(
          Thread.ofVirtual()
              .start(() -> {
                for (int i = 0; i < each; i++) {
                  try {
                    // Each start that runs leaves one byte.
                    startCounting(count);
                    progress.release();
                  } catch (Exception e) {
                    failures.incrementAndGet();
                    reasons.add(String.valueOf(e));
                  }
                }
              }));
    }
    for (Thread starter : starters) {
      starter.join();
    }
    done.set(true);
    progress.release();
    killer.join();
    count.writeEnd().close();
    int bytes = new PipeInput(count.readEnd()).readAllBytes().length;
    assertThat(killed.get()).as("keepers killed; failures: %s", reasons).isPositive();
    // A start may give up after several keepers in a row were killed; then it says so, and nothing
    // ran.
    assertThat(bytes + failures.get()).isEqualTo(threads * each);
    assertThat(bytes).as("starts that came through; the others: %s", reasons).isPositive();
  }

  @Test
  void sixtyFourAtOnce() throws Exception {
    List<Thread> threads = new ArrayList<>();
    AtomicInteger right = new AtomicInteger();
    for (int i = 0; i < 64; i++) {
      int code = i;
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  if (run("exit " + code).code() == code) {
                    right.incrementAndGet();
                  }
                } catch (Exception e) {
                  throw new AssertionError(e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(right.get()).isEqualTo(64);
  }

  private void startCounting(Pipe count) throws Exception {
    StartOutcome outcome =
        client.start(
            request("/bin/echo", "-n", "x")
                .streams(nothing.number(), count.writeEnd().number(), nothing.number()));
    assertThat(reap(outcome).code()).isZero();
  }

  private ExitStatus run(String script) throws Exception {
    return reap(client.start(request("/bin/sh", "-c", script)));
  }

  private static ExitStatus reap(StartOutcome outcome) throws Exception {
    assertThat(outcome).isInstanceOf(StartOutcome.Started.class);
    try (Pidfd child = ((StartOutcome.Started) outcome).child();
        Poller.Watch watch = Poller.shared().watch(child.descriptor())) {
      assertThat(watch.await(Poller.READABLE, Long.MAX_VALUE)).isNotZero();
      ExitStatus status = child.reap();
      assertThat(status).isNotNull();
      return status;
    }
  }

  private StartRequest request(String... words) throws Exception {
    return new StartRequest()
        .candidates(List.of(bytes(words[0])))
        .arguments(java.util.Arrays.stream(words).map(KeeperClientTest::bytes).toList())
        .environment(List.of(bytes("PATH=/bin:/usr/bin")))
        .streams(nothing.number(), nothing.number(), nothing.number());
  }

  private static void kill(int pid) throws Exception {
    try (Pidfd keeper = Pidfd.open(pid);
        Poller.Watch watch = Poller.shared().watch(keeper.descriptor())) {
      keeper.signal(9);
      watch.await(Poller.READABLE, System.nanoTime() + 5_000_000_000L);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
