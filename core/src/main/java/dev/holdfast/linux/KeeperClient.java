package dev.holdfast.linux;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Starts children through a keeper, and puts a new keeper in the place of one that died: no start
 * is lost and none is done twice, since the status pipe of each start tells whether a child was
 * made.
 *
 * <p>Thread-safe; starts from many threads go on at the same time.
 */
public final class KeeperClient implements AutoCloseable {
  private static final int SIGKILL = 9;
  private static final int KEEPERS_FOR_ONE_START = 6;

  /** What a start that was interrupted waits for the end of the child that it killed. */
  private static final long ABANDON_NANOS = 1_000_000_000L;

  /** Brings a new keeper to where it may start children in our groups. */
  @FunctionalInterface
  public interface Admission {
    void admit(int pid) throws IOException;
  }

  private final @Nullable Admission admission;
  private @Nullable Keeper keeper;
  private @Nullable AnchorRequest anchor;
  private boolean closed;

  /** Of keepers that may start children in our groups from where they are. */
  public KeeperClient() {
    this(null);
  }

  /**
   * @param admission called with each keeper's process id before anything is asked of it
   */
  public KeeperClient(@Nullable Admission admission) {
    this.admission = admission;
  }

  /**
   * The anchor that every keeper from now on ends when we are gone; the present one is told at
   * once.
   */
  public synchronized void anchor(AnchorRequest request) throws IOException {
    anchor = request;
    if (keeper != null) {
      try {
        keeper.anchor(request);
        return;
      } catch (SystemCallException failure) {
        if (!isGone(failure)) {
          throw failure;
        }
        forget(keeper);
      }
    }
    living();
  }

  /**
   * Starts a child and waits until it has come to its exec, or failed to.
   *
   * @throws InterruptedException if the thread is interrupted meanwhile; then nothing is left of
   *     the child
   */
  public StartOutcome start(StartRequest request) throws IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      Keeper used = living();
      try (StatusPipe status = new StatusPipe()) {
        try {
          used.send(request, status.writeEnd());
        } catch (SystemCallException failure) {
          if (attempt < KEEPERS_FOR_ONE_START && isGone(failure)) {
            forget(used);
            continue;
          }
          throw failure;
        }
        status.sent();
        try {
          status.awaitEnd(Long.MAX_VALUE);
        } catch (InterruptedException interrupted) {
          abandon(status);
          throw interrupted;
        }
        StartOutcome outcome = status.pid() == 0 && !status.failed() ? null : outcome(status);
        if (outcome != null && !isLetGo(outcome, request)) {
          return outcome;
        }
        // The keeper died before it came to this request, or its child found that nobody would hold
        // it any more: nothing
        // of the program ran.
        if (attempt == KEEPERS_FOR_ONE_START) {
          throw new IOException(
              "the keeper died " + attempt + " times before it could start a child");
        }
        if (!used.isAlive()) {
          forget(used);
        }
      }
    }
  }

  /** The present keeper's process id, or 0; for tests. */
  public synchronized int keeperPid() {
    return keeper != null && keeper.isAlive() ? keeper.pid() : 0;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (keeper != null) {
      keeper.close();
      keeper = null;
    }
  }

  private static StartOutcome outcome(StatusPipe status) throws IOException, InterruptedException {
    if (status.running() && !status.failed()) {
      return new StartOutcome.Started(Pidfd.open(status.pid()));
    }
    if (status.pid() != 0) {
      try (Pidfd child = Pidfd.open(status.pid());
          Poller.Watch watch = Poller.shared().watch(child.descriptor())) {
        watch.await(Poller.READABLE, Long.MAX_VALUE);
        child.reap();
      }
    }
    return status.failed() ? status.failure() : new StartOutcome.KilledUnborn();
  }

  /** Ends a child whose starter no longer waits for it. */
  private static void abandon(StatusPipe status) throws IOException {
    status.awaitPid();
    if (status.pid() == 0) {
      return;
    }
    Pidfd child = Pidfd.open(status.pid());
    child.signal(SIGKILL);
    Poller.look(child.descriptor().number(), Poller.READABLE, ABANDON_NANOS);
    Reaper.reapAtEnd(child);
  }

  private synchronized Keeper living() throws IOException {
    if (closed) {
      throw new IOException("Holdfast is shut down in this process");
    }
    // One that has died shows when it is sent to.
    if (keeper == null) {
      Keeper fresh =
          Keeper.start(() -> Thread.ofVirtual().name("holdfast-keeper").start(this::replace));
      try {
        if (admission != null) {
          admission.admit(fresh.pid());
        }
      } catch (IOException | RuntimeException refused) {
        fresh.close();
        throw refused;
      }
      keeper = fresh;
      if (anchor != null) {
        keeper.anchor(anchor);
      }
    }
    return keeper;
  }

  /**
   * At a keeper's death: jobs that are open must not be without one, even if nothing is started any
   * more.
   */
  private synchronized void replace() {
    if (closed || anchor == null || keeper == null || keeper.isAlive()) {
      return;
    }
    try {
      forget(keeper);
      living();
    } catch (IOException failure) {
      // The next start tries again, and tells.
    }
  }

  /**
   * Only for one that has let go of its end: a living keeper would take our closing as our death,
   * and end the anchor.
   */
  private synchronized void forget(Keeper dead) {
    if (keeper == dead) {
      dead.close();
      keeper = null;
    }
  }

  /**
   * The child's last look before it goes on: is there still a JVM that holds it? See STEP_JOIN in
   * protocol.h.
   */
  private static boolean isLetGo(StartOutcome outcome, StartRequest request) {
    return outcome instanceof StartOutcome.Failed failed
        && failed.step() == StartStep.JOIN
        && failed.errno() == Errno.ESRCH
        && failed.detail() == request.joinCount();
  }

  private static boolean isGone(SystemCallException failure) {
    return failure.errno() == Errno.EPIPE
        || failure.errno() == Errno.ECONNRESET
        || failure.errno() == Errno.ECONNREFUSED;
  }
}
