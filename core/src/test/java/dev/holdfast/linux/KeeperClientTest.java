package dev.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.WallTime;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Starts through the keeper, also while keepers die. */
@EveryKernel
@Timeout(120)
class KeeperClientTest {
  private static final String KEEPERS = "dev.holdfast.keeper";

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

  /** Whoever else starts a program in this process at that moment must not give them away. */
  @Test
  void whatIsOpenedForAKeeperIsCloseOnExecAllTheTime() throws Exception {
    Set<String> before = descriptors();
    List<String> inheritable = new ArrayList<>();
    Set<String> seen = ConcurrentHashMap.newKeySet();
    Kernel.witness =
        call -> {
          if (call.equals("posix_spawn")) {
            for (String number : descriptors()) {
              if (!before.contains(number)) {
                seen.add(number);
                if (isInheritable(number)) {
                  inheritable.add(number);
                }
              }
            }
          }
        };
    try {
      client.prepare();
    } finally {
      Kernel.witness = null;
    }
    // Socket, pidfd, program.
    assertThat(seen).hasSizeGreaterThanOrEqualTo(3);
    assertThat(inheritable).isEmpty();
    assertThat(run("exit 3").code()).isEqualTo(3);
  }

  @Test
  void aKeeperThatCannotBeStartedIsTriedAgainWhileSomebodyIsToBeHeld(@TempDir Path folder)
      throws Exception {
    Set<Held> held = ConcurrentHashMap.newKeySet();
    try (KeeperClient holding = new KeeperClient(() -> List.copyOf(held))) {
      StartOutcome outcome = holding.start(request("/bin/sleep", "1000").hold());
      try (Pidfd child = ((StartOutcome.Started) outcome).child()) {
        held.add(
            new Held(
                child.pid(),
                Held.Kind.CHILD,
                ProcessTable.system().entry(child.pid()).startTicks()));
        String former = System.getProperty(KEEPERS);
        try {
          for (String processor : List.of("x86_64", "aarch64")) {
            java.nio.file.Files.writeString(folder.resolve("keeper-" + processor), "no program");
          }
          System.setProperty(KEEPERS, folder.toString());
          kill(holding.keeperPid());
          WallTime.pass(Duration.ofMillis(500));
          assertThat(holding.keeperPid()).isZero();
        } finally {
          if (former == null) {
            System.clearProperty(KEEPERS);
          } else {
            System.setProperty(KEEPERS, former);
          }
        }
        Awaitility.await("another keeper")
            .atMost(Duration.ofSeconds(20))
            .until(() -> holding.keeperPid() != 0);
        child.signal(9);
        Awaitility.await().until(child::hasEnded);
        child.reap();
      }
    }
  }

  /** Nobody but us would let it go on. */
  @Test
  void aStoppedKeeperIsContinuedWhenAStartWaitsForIt() throws Exception {
    assertThat(run("exit 0").code()).isZero();
    int keeper = stop(client.keeperPid());
    try {
      FutureTask<ExitStatus> start = new FutureTask<>(() -> run("exit 4"));
      Thread.ofVirtual().start(start);
      assertThat(start.get(20, TimeUnit.SECONDS).code()).isEqualTo(4);
      assertThat(client.keeperPid()).isEqualTo(keeper);
    } finally {
      signal(keeper, 18);
    }
  }

  /** Also if the keeper comes to the start only when nobody waits for it any more. */
  @Test
  void nothingIsLeftOfAStartThatWasInterruptedWhileTheKeeperStoodStill() throws Exception {
    assertThat(run("exit 0").code()).isZero();
    Set<Integer> before = children();
    int keeper = stop(client.keeperPid());
    try {
      FutureTask<StartOutcome> start =
          new FutureTask<>(() -> client.start(request("/bin/sleep", "1000")));
      Thread thread = Thread.ofPlatform().start(start);
      Awaitility.await().until(() -> thread.getState() == Thread.State.WAITING);
      thread.interrupt();
      assertThatThrownBy(() -> start.get(20, TimeUnit.SECONDS))
          .hasCauseInstanceOf(InterruptedException.class);
      // Whoever is interrupted has it go on, too.
      Awaitility.await("the keeper's going on")
          .until(() -> !ProcessTable.system().entry(keeper).isStopped());
    } finally {
      signal(keeper, 18);
    }
    Awaitility.await("the start's end")
        .atMost(Duration.ofSeconds(20))
        .until(() -> OwnChildren.starts() >= 0);
    assertThat(run("exit 0").code()).isZero();
    Awaitility.await("the child's end")
        .atMost(Duration.ofSeconds(20))
        .until(() -> before.containsAll(children()));
  }

  /**
   * A child that is cloned into a frozen group has copies of all of the keeper's descriptors, also
   * of the socket, and so of what is still to be read from it.
   */
  @Test
  @Needs({Feature.CGROUP_V2, Feature.ROOT})
  void aStartGoesOnWithoutAKeeperWhoseSocketIsHeldByAHungChild() throws Exception {
    assertThat(run("exit 0").code()).isZero();
    try (Cgroup group = Delegation.find().create("hf-hung-" + ProcessHandle.current().pid());
        Directory directory = Directory.open(group.unifiedDirectory().orElseThrow())) {
      // By hand: a group that nobody is in is frozen at once.
      directory.write("cgroup.freeze", "1");
      Set<Integer> before = children();
      FutureTask<StartOutcome> hung =
          new FutureTask<>(() ->
              client.start(request("/bin/sh", "-c", "exit 6").cloneInto(directory.descriptor())));
      Thread.ofPlatform().start(hung);
      Awaitility.await("the child that hangs")
          .atMost(Duration.ofSeconds(20))
          .until(() -> !before.containsAll(children()));
      int keeper = stop(client.keeperPid());
      FutureTask<ExitStatus> next = new FutureTask<>(() -> run("exit 5"));
      Thread thread = Thread.ofPlatform().start(next);
      Awaitility.await().until(() -> thread.getState() == Thread.State.WAITING);
      kill(keeper);
      try {
        assertThat(next.get(20, TimeUnit.SECONDS).code()).isEqualTo(5);
        assertThat(hung.isDone()).isFalse();
      } finally {
        directory.write("cgroup.freeze", "0");
      }
      // It found that nobody holds it, and another one was started in its place.
      assertThat(reap(hung.get(20, TimeUnit.SECONDS)).code()).isEqualTo(6);
      Awaitility.await("the end of all")
          .atMost(Duration.ofSeconds(20))
          .until(() -> OwnChildren.starts() >= 0);
    }
  }

  private static Set<String> descriptors() {
    try (Stream<Path> all = java.nio.file.Files.list(Path.of("/proc/self/fdinfo"))) {
      return all.map(path -> path.getFileName().toString()).collect(Collectors.toSet());
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** {@code flags:\t02000002}, in octal; O_CLOEXEC is 02000000. */
  private static boolean isInheritable(String number) {
    try {
      return java.nio.file.Files.readAllLines(Path.of("/proc/self/fdinfo", number)).stream()
          .filter(line -> line.startsWith("flags:"))
          .anyMatch(line -> (Long.parseLong(line.substring(6).strip(), 8) & 02000000) == 0);
    } catch (java.io.IOException closed) {
      return false;
    }
  }

  /** Of ours, keepers and the dead that nobody has reaped included. */
  private static Set<Integer> children() throws Exception {
    int own = (int) ProcessHandle.current().pid();
    return ProcessTable.system().entries().stream()
        .filter(entry -> entry.parent() == own)
        .map(ProcessTable.Entry::pid)
        .collect(Collectors.toSet());
  }

  private static int stop(int pid) throws Exception {
    signal(pid, 19);
    Awaitility.await("the stop of " + pid)
        .until(() -> ProcessTable.system().entry(pid).isStopped());
    return pid;
  }

  private static void signal(int pid, int signal) throws Exception {
    try (Pidfd process = Pidfd.openIfPresent(pid)) {
      if (process != null) {
        process.signal(signal);
      }
    }
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
