package dev.holdfast.linux;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Starts children through a keeper, and through another one if that dies: no start is lost and none
 * is done twice, since the status pipe of each start tells whether a child was made.
 *
 * <p>Thread-safe; starts from many threads go on at the same time.
 */
public final class KeeperClient implements AutoCloseable {
  /** Brings a new keeper to where it may start children in our groups. */
  @FunctionalInterface
  public interface Admission {
    void admit(int pid) throws IOException;
  }

  private final PresentKeeper present;

  /** Of keepers that may start children in our groups from where they are. */
  public KeeperClient() {
    this(null, List::of);
  }

  /**
   * @param admission called with each keeper's process id before anything is asked of it
   */
  public KeeperClient(Admission admission) {
    this(admission, List::of);
  }

  /**
   * Of keepers that start children in no group.
   *
   * @param holds those of them that are to be held now: each keeper that comes in the place of
   *     another is told
   */
  public KeeperClient(Supplier<List<Held>> holds) {
    this(null, holds);
  }

  private KeeperClient(@Nullable Admission admission, Supplier<List<Held>> holds) {
    this.present = new PresentKeeper(admission, holds);
  }

  /**
   * The anchor that every keeper from now on ends when we are gone; the present one is told at
   * once.
   *
   * @throws IOException if it was not taken: then the former one is still held
   */
  public void anchor(AnchorRequest request) throws IOException {
    present.anchor(request);
  }

  /** Lets children go that were held with {@link StartRequest#hold}: they outlive us. */
  public void letGo(List<Held> children) throws IOException {
    present.letGo(children);
  }

  /** Has the present keeper hold all that are to be held, where it may have missed one. */
  public void holdAll() throws IOException {
    present.holdAll();
  }

  /** How many keepers there have been. */
  public int keepers() {
    return present.keepers();
  }

  /** Whether all that was started since there had been so many keepers was by one that lives. */
  public boolean isStillAfter(int count) {
    return present.isStillAfter(count);
  }

  /** The present keeper's process id, or 0; for tests. */
  public int keeperPid() {
    return present.pid();
  }

  @Override
  public void close() {
    present.close();
  }

  /** Has all that a start needs of processes and threads of ours, where those are to be counted. */
  public void prepare() throws IOException {
    Poller.shared();
    present.living();
  }

  /**
   * Starts a child and waits until it has come to its exec, or failed to.
   *
   * @throws InterruptedException if the thread is interrupted meanwhile; then nothing is left of
   *     the child
   */
  public StartOutcome start(StartRequest request) throws IOException, InterruptedException {
    // Whatever may want for a descriptor comes before there is a child.
    Poller.shared();
    OwnChildren.starting();
    try {
      return startNow(request);
    } finally {
      OwnChildren.started();
    }
  }

  private StartOutcome startNow(StartRequest request) throws IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      Keeper used = present.living();
      try (StatusPipe status = new StatusPipe()) {
        boolean last = attempt == PresentKeeper.ENOUGH;
        if (!sent((socket, end) -> StartMessage.send(socket, request, end), used, status, last)) {
          continue;
        }
        boolean answered;
        try {
          answered = isAnswered(used, status);
        } catch (InterruptedException | IOException | RuntimeException failure) {
          abandon(used, status);
          throw failure;
        }
        if (!answered) {
          status.leave();
          giveUp(used, last);
          continue;
        }
        if (status.entering() != 0) {
          Reaper.end(status.entering());
        }
        StartOutcome outcome = status.pid() == 0 && !status.failed() ? null : outcome(status);
        if (outcome != null && !isLetGo(outcome, request)) {
          return outcome;
        }
        // The keeper died before it came to this request, or its child found that nobody would hold
        // it any more: nothing
        // of the program ran.
        giveUp(used, last);
      }
    }
  }

  /**
   * False if the keeper died and nothing was told. Whoever of its children has not told of itself
   * yet does so before it looks whether our end of the keeper's socket is still open; and that is
   * closed when this looks for the last time. So nothing of the program will run.
   */
  private boolean isAnswered(Keeper used, StatusPipe status)
      throws IOException, InterruptedException {
    if (status.awaitEndBy(used, present::lookAfter)) {
      return true;
    }
    used.close();
    if (status.isSilent()) {
      return false;
    }
    status.awaitEnd(Long.MAX_VALUE);
    return true;
  }

  /**
   * Has a pid namespace made.
   *
   * @param atReaping is told what its first process and those that this waited for have used, where
   *     that is known. It must be short and never block.
   * @throws NamespaceRefusal if there is none to be had
   */
  public PidNamespace makeNamespace(BiConsumer<PidNamespace, Optional<ResourceUsage>> atReaping)
      throws IOException, NamespaceRefusal {
    Poller.shared();
    OwnChildren.starting();
    try {
      for (int attempt = 1; ; attempt++) {
        Keeper used = present.living();
        Socket.Pair orders = Socket.pair();
        boolean made = false;
        try (Descriptor theirs = orders.theirs();
            StatusPipe status = new StatusPipe()) {
          boolean last = attempt == PresentKeeper.ENOUGH;
          NamespaceRequest request = new NamespaceRequest(theirs);
          if (!sent(request::send, used, status, last)) {
            continue;
          }
          PidNamespace namespace = namespace(status, used, orders.ours(), atReaping);
          if (namespace != null) {
            made = true;
            return namespace;
          }
          giveUp(used, last);
        } finally {
          if (!made) {
            orders.ours().close();
          }
        }
      }
    } finally {
      OwnChildren.started();
    }
  }

  /** Null if the keeper, or the first process, died before it was made. */
  private static @Nullable PidNamespace namespace(
      StatusPipe status,
      Keeper used,
      Socket orders,
      BiConsumer<PidNamespace, Optional<ResourceUsage>> atReaping)
      throws IOException, NamespaceRefusal {
    boolean taken = false;
    try {
      status.awaitAnswer("a pid namespace", used);
      taken = status.taken() && !status.failed();
    } finally {
      if (!taken) {
        abandon(used, status);
      }
    }
    if (taken) {
      return new PidNamespace(
          open(status.pid()), orders, status.detail() == 1, status.value(), atReaping);
    }
    if (status.failed() && status.step() == StartStep.NAMESPACE) {
      throw new NamespaceRefusal(status.detail(), status.errno());
    }
    if (status.failed()) {
      throw new SystemCallException("keeper", "a pid namespace", status.errno());
    }
    return null;
  }

  /** Whether it could be sent; if not, the keeper is gone, and another one is to be asked. */
  private boolean sent(Keeper.Message message, Keeper used, StatusPipe status, boolean last)
      throws IOException {
    try {
      used.send(message, status.writeEnd());
    } catch (SystemCallException failure) {
      if (!last && Keeper.isGone(failure)) {
        present.forget(used);
        return false;
      }
      throw failure;
    }
    status.sent();
    return true;
  }

  private void giveUp(Keeper used, boolean last) throws IOException {
    if (last) {
      throw new IOException(
          "the keeper died "
              + PresentKeeper.ENOUGH
              + " times before it could start a child ("
              + PresentKeeper.REMEDY
              + ")");
    }
    if (!used.isAlive()) {
      present.forget(used);
    }
  }

  private static StartOutcome outcome(StatusPipe status) throws IOException, InterruptedException {
    // It has told all, and its descriptor is free for the child's.
    status.close();
    if (status.running() && !status.failed()) {
      return new StartOutcome.Started(open(status.pid()));
    }
    if (status.pid() != 0) {
      Pidfd child = open(status.pid());
      try (Poller.Watch watch = Poller.shared().watch(child.descriptor())) {
        watch.await(Poller.READABLE, Long.MAX_VALUE);
        Reaper.reap(child);
      } catch (InterruptedException | IOException | RuntimeException failure) {
        Reaper.end(child);
        throw failure;
      }
    }
    return status.failed() ? status.failure() : new StartOutcome.KilledUnborn();
  }

  /** Other threads may have taken the last descriptors: a child that cannot be held is ended. */
  private static Pidfd open(int pid) throws SystemCallException {
    try {
      Pidfd child = Pidfd.open(pid);
      OwnChildren.add(child);
      return child;
    } catch (SystemCallException failure) {
      Reaper.end(pid);
      throw failure;
    }
  }

  /**
   * Ends a child whose starter no longer waits for it; later, if the keeper is later with it than
   * anybody waits.
   */
  private static void abandon(Keeper used, StatusPipe status) throws IOException {
    status.awaitPid();
    if (status.entering() != 0) {
      Reaper.end(status.entering());
      status.awaitPid(); // what it made before it was ended
    }
    if (status.pid() == 0 && !status.failed()) {
      used.rouse(); // where each start is interrupted, none waits long enough for that
      status.leave();
      return;
    }
    status.close();
    if (status.pid() != 0) {
      Reaper.end(status.pid());
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
}
