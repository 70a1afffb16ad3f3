package dev.holdfast.linux;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Starts children through a keeper, and puts a new keeper in the place of one that died: no start
 * is lost and none is done twice, since the status pipe of each start tells whether a child was
 * made.
 *
 * <p>Thread-safe; starts from many threads go on at the same time.
 */
public final class KeeperClient implements AutoCloseable {
  private static final int KEEPERS_FOR_ONE_START = 6;

  /** Between attempts to replace a keeper; each is twice the one before it. */
  private static final long FIRST_PAUSE_NANOS = 10_000_000;

  private static final long LONGEST_PAUSE_NANOS = 5_000_000_000L;

  /** Brings a new keeper to where it may start children in our groups. */
  @FunctionalInterface
  public interface Admission {
    void admit(int pid) throws IOException;
  }

  private final @Nullable Admission admission;
  private final Supplier<List<Held>> holds;
  private volatile @Nullable Keeper keeper;
  private @Nullable AnchorRequest anchor;
  private volatile @Nullable Timer timer;
  private volatile long pause = FIRST_PAUSE_NANOS;

  /** Whether {@link #tend} is to come. */
  private final AtomicBoolean tending = new AtomicBoolean();

  private final AtomicInteger keepers = new AtomicInteger();
  private boolean closed;

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
    this.admission = admission;
    this.holds = holds;
  }

  /**
   * The anchor that every keeper from now on ends when we are gone; the present one is told at
   * once.
   *
   * @throws IOException if it was not taken: then the former one is still held
   */
  public synchronized void anchor(AnchorRequest request) throws IOException {
    AnchorRequest former = anchor;
    anchor = request;
    try {
      if (keeper == null || !keeper.tell("the anchor", request::send)) {
        if (keeper != null) {
          forget(keeper);
        }
        living();
      }
    } catch (IOException | RuntimeException failure) {
      anchor = former;
      throw failure;
    }
  }

  /** Lets children go that were held with {@link StartRequest#hold}: they outlive us. */
  public synchronized void letGo(List<Held> children) throws IOException {
    if (keeper != null) {
      tellOfHolds(keeper, false, children);
    }
  }

  /** Has the present keeper hold all that are to be held, where it may have missed one. */
  public synchronized void holdAll() throws IOException {
    Keeper present = living();
    if (!tellOfHolds(present, true, holds.get())) {
      forget(present);
      living();
    }
  }

  /** Has all that a start needs of processes and threads of ours, where those are to be counted. */
  public synchronized void prepare() throws IOException {
    Poller.shared();
    living();
  }

  /** How many keepers there have been. */
  public int keepers() {
    return keepers.get();
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
      Keeper used = living();
      try (StatusPipe status = new StatusPipe()) {
        boolean last = attempt == KEEPERS_FOR_ONE_START;
        if (!sent((socket, end) -> StartMessage.send(socket, request, end), used, status, last)) {
          continue;
        }
        boolean answered;
        try {
          answered = isAnswered(used, status);
        } catch (InterruptedException | IOException | RuntimeException failure) {
          abandon(status);
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
    tendLater(StatusPipe.PID_NANOS, false);
    if (status.awaitEndBy(used)) {
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
        Keeper used = living();
        Socket.Pair orders = Socket.pair();
        boolean made = false;
        try (Descriptor theirs = orders.theirs();
            StatusPipe status = new StatusPipe()) {
          boolean last = attempt == KEEPERS_FOR_ONE_START;
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
        abandon(status);
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
        forget(used);
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
          "the keeper died " + KEEPERS_FOR_ONE_START + " times before it could start a child");
    }
    if (!used.isAlive()) {
      forget(used);
    }
  }

  /** Whether all that was started since there had been so many keepers was by one that lives. */
  public synchronized boolean isStillAfter(int count) {
    return keepers.get() == Math.max(count, 1) && keeper != null && keeper.isAlive();
  }

  /** The present keeper's process id, or 0; for tests. */
  public synchronized int keeperPid() {
    return keeper != null && keeper.isAlive() ? keeper.pid() : 0;
  }

  @Override
  public synchronized void close() {
    closed = true;
    Keeper present = keeper;
    if (present != null) {
      present.close();
      keeper = null;
    }
    Timer tends = timer;
    if (tends != null) {
      tends.close();
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
        child.reap();
        child.close();
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
  private static void abandon(StatusPipe status) throws IOException {
    status.awaitPid();
    if (status.entering() != 0) {
      Reaper.end(status.entering());
      status.awaitPid(); // what it made before it was ended
    }
    if (status.pid() == 0 && !status.failed()) {
      status.leave();
      return;
    }
    status.close();
    if (status.pid() != 0) {
      Reaper.end(status.pid());
    }
  }

  private synchronized Keeper living() throws IOException {
    if (closed) {
      throw new IOException("Holdfast is shut down in this process");
    }
    if (timer == null) {
      timer = new Timer();
    }
    // One that has died shows when it is sent to.
    for (int attempt = 1; keeper == null; attempt++) {
      AtomicBoolean taken = new AtomicBoolean();
      // What never was of use is not to be replaced when it ends.
      Keeper fresh =
          Keeper.start(() -> {
            if (taken.get()) {
              replaceSoon();
            }
          });
      boolean knows = false;
      try {
        knows = instruct(fresh);
      } finally {
        if (!knows) {
          fresh.discard();
        }
      }
      if (knows) {
        keeper = fresh;
        taken.set(true);
        if (!fresh.isAlive()) {
          replaceSoon();
        }
      } else if (attempt == KEEPERS_FOR_ONE_START) {
        throw new IOException("the keeper died " + attempt + " times before it could be told");
      }
    }
    return keeper;
  }

  /** Tells a new keeper all that it has to end when we are gone; false if it died. */
  private boolean instruct(Keeper fresh) throws IOException {
    if (admission != null) {
      admission.admit(fresh.pid());
    }
    // Before the holds are read: who adds one and sees no other keeper then is in time.
    keepers.incrementAndGet();
    if (!tellOfHolds(fresh, true, holds.get())) {
      return false;
    }
    AnchorRequest known = anchor;
    return known == null || fresh.tell("the anchor", known::send);
  }

  private static boolean tellOfHolds(Keeper keeper, boolean hold, List<Held> children)
      throws IOException {
    for (int from = 0; from < children.size(); from += HoldRequest.MOST) {
      List<Held> some = children.subList(from, Math.min(from + HoldRequest.MOST, children.size()));
      if (!keeper.tell("the children that it holds", new HoldRequest(hold, some)::send)) {
        return false;
      }
    }
    return true;
  }

  /**
   * By a thread of its own: the poller's, which comes here, must not wait for a new keeper. Not a
   * virtual one: the first of those takes threads of the system, and where there is none to be had
   * then, there never is another virtual one in this JVM.
   */
  private void replaceSoon() {
    try {
      Thread.ofPlatform().daemon().name("holdfast-keeper").start(this::replace);
    } catch (OutOfMemoryError noThread) {
      // That is how a limit of processes shows; it may have room again.
      tendLater(nextPause(), true);
    }
  }

  /**
   * At a keeper's death: jobs that are open must not be without one, even if nothing is started any
   * more. Where there is none to be had it is tried again: nothing tells that a limit of processes,
   * or of descriptors, has room again.
   */
  private void replace() {
    synchronized (this) {
      if (closed
          || (keeper != null && keeper.isAlive())
          || (anchor == null && holds.get().isEmpty())) {
        pause = FIRST_PAUSE_NANOS;
        return;
      }
      try {
        if (keeper != null) {
          forget(keeper);
        }
        living();
        pause = FIRST_PAUSE_NANOS;
        return;
      } catch (IOException | RuntimeException failure) {
        // A start would tell.
      }
    }
    tendLater(nextPause(), true);
  }

  private long nextPause() {
    long now = pause;
    pause = Math.min(2 * now, LONGEST_PAUSE_NANOS);
    return now;
  }

  /**
   * Has the poller look after the keeper in {@code nanos}.
   *
   * @param anew whether that counts if it is to look already
   */
  private void tendLater(long nanos, boolean anew) {
    Timer present = timer;
    if (present == null || (tending.getAndSet(true) && !anew)) {
      return;
    }
    try {
      present.after(nanos, this::tend);
    } catch (IOException closedNow) {
      tending.set(false);
    }
  }

  /** On the poller's thread. */
  private void tend() {
    tending.set(false);
    Keeper present = keeper;
    if (present == null || !present.isAlive()) {
      replaceSoon();
    } else if (present.isAwaited()) {
      present.rouse();
      tendLater(StatusPipe.PID_NANOS, false);
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
}
