package dev.holdfast.linux;

import dev.holdfast.linux.KeeperClient.Admission;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The keeper that there is now. One that died is replaced as soon as there is room for another, and
 * told all that the one before it held; one that is stopped while somebody waits for it is
 * continued.
 *
 * <p>Thread-safe.
 */
final class PresentKeeper implements AutoCloseable {
  /** How many may die on one request, before that is given up. */
  static final int ENOUGH = 6;

  /** Of its death again and again. */
  static final String REMEDY =
      "look for what ends holdfast-keeper: want of memory, or another process of this user";

  /** Between attempts to replace a keeper; each is twice the one before it. */
  private static final long FIRST_PAUSE_NANOS = 10_000_000;

  private static final long LONGEST_PAUSE_NANOS = 5_000_000_000L;

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

  PresentKeeper(@Nullable Admission admission, Supplier<List<Held>> holds) {
    this.admission = admission;
    this.holds = holds;
  }

  /**
   * The anchor that every keeper from now on ends when we are gone; the present one is told at
   * once.
   *
   * @throws IOException if it was not taken: then the former one is still held
   */
  synchronized void anchor(AnchorRequest request) throws IOException {
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
  synchronized void letGo(List<Held> children) throws IOException {
    if (keeper != null) {
      tellOfHolds(keeper, false, children);
    }
  }

  /** Has the present keeper hold all that are to be held, where it may have missed one. */
  synchronized void holdAll() throws IOException {
    Keeper present = living();
    if (!tellOfHolds(present, true, holds.get())) {
      forget(present);
      living();
    }
  }

  /** How many keepers there have been. */
  int keepers() {
    return keepers.get();
  }

  /** Whether all that was started since there had been so many keepers was by one that lives. */
  synchronized boolean isStillAfter(int count) {
    return keepers.get() == Math.max(count, 1) && keeper != null && keeper.isAlive();
  }

  /** Its process id, or 0. */
  synchronized int pid() {
    return keeper != null && keeper.isAlive() ? keeper.pid() : 0;
  }

  /** It, or a new one where there is none; that one lives is seen when something is sent to it. */
  synchronized Keeper living() throws IOException {
    if (closed) {
      throw new IOException(
          "Holdfast is shut down in this process (start nothing after Job.closeAll)");
    }
    if (timer == null) {
      timer = new Timer();
    }
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
      } else if (attempt == ENOUGH) {
        throw new IOException(
            "the keeper died " + attempt + " times before it could be told (" + REMEDY + ")");
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
  synchronized void forget(Keeper dead) {
    if (keeper == dead) {
      dead.close();
      keeper = null;
    }
  }

  /** To be called by whoever begins to wait for it. */
  void lookAfter() {
    tendLater(StatusPipe.PID_NANOS, false);
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
}
