package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A pid namespace that a keeper made. Its first process is our child and runs the keeper's code;
 * its end is the end of all in the namespace, and it obeys orders over a socket ({@code
 * REQUEST_SIGNAL} and so on in {@code native/protocol.h}).
 *
 * <p>Thread-safe. Descriptors are closed once the first process has ended and nobody uses them.
 */
public final class PidNamespace {
  private static final String WHO = "holdfast-init";
  private static final int MAGIC = 0x31464b48;
  private static final int KIND_SIGNAL = 6;
  private static final int KIND_EMPTY = 7;
  private static final int KIND_RELEASE = 8;
  private static final int PIDFDS_AT_ONCE = 200;
  private static final int SIGKILL = 9;
  private static final long END_MILLIS = 1000;

  /** It answers at once; one that did not may be stopped, and is not waited for like that again. */
  private static final long ANSWER_NANOS = 2_000_000_000L;

  private static final long AGAIN_NANOS = 10_000_000;

  private final Pidfd first;
  private final Socket orders;
  private final Held held;
  private final boolean ownUsers;
  private final int procErrno;
  private final BiConsumer<PidNamespace, Optional<ResourceUsage>> atReaping;
  private final CompletableFuture<@Nullable Void> end = new CompletableFuture<>();
  private final Poller.Watch watch;

  private int users;
  private boolean ending;
  private boolean ended;
  private boolean closed;
  private volatile boolean silent;

  /** Of a first process that nobody has reaped; if its end cannot be watched, it is ended. */
  PidNamespace(
      Pidfd first,
      Socket orders,
      boolean ownUsers,
      int procErrno,
      BiConsumer<PidNamespace, Optional<ResourceUsage>> atReaping)
      throws IOException {
    this.first = first;
    this.orders = orders;
    this.ownUsers = ownUsers;
    this.procErrno = procErrno;
    this.atReaping = atReaping;
    orders.whenFull(() -> {
      throw StatusPipe.noAnswer(WHO, "so many orders");
    });
    boolean watched = false;
    try {
      ProcessTable.Entry entry = ProcessTable.system().entry(first.pid());
      this.held = new Held(first.pid(), Held.Kind.FIRST, entry == null ? 0 : entry.startTicks());
      this.watch = Poller.shared().watch(first.descriptor());
      this.watch.onEvent(Poller.READABLE, this::reap);
      watched = true;
    } finally {
      if (!watched) {
        first.abandon();
      }
    }
  }

  /** The first process, as we number it. */
  public int pid() {
    return first.pid();
  }

  /** What a keeper that comes in the place of another holds of it. */
  public Held held() {
    return held;
  }

  /** Whether it has a user namespace, in which nobody is known but our effective user and group. */
  public boolean hasOwnUsers() {
    return ownUsers;
  }

  /** The errno that kept it from a /proc of its own; 0 if it has one. */
  public int procErrno() {
    return procErrno;
  }

  /** Whether nobody has begun to end it, nor has it ended. */
  public synchronized boolean isAlive() {
    return !ending && !ended;
  }

  /** Completes when all in it have ended, and what they used has been told. */
  public CompletableFuture<@Nullable Void> end() {
    return end;
  }

  /** Starts a child in it; null if it has ended, or is ending. */
  public @Nullable StartOutcome start(KeeperClient keeper, StartRequest request)
      throws IOException, InterruptedException {
    if (!isAlive() || !use()) {
      return null;
    }
    try {
      StartOutcome outcome = keeper.start(request.enter(first.descriptor(), ownUsers));
      return looksEnding(outcome) && endsSoon() ? null : outcome;
    } finally {
      release();
    }
  }

  /**
   * Sends a signal to all in it but the first process, at one moment: none that is being forked
   * meanwhile misses it.
   */
  public void signal(int signal) throws IOException {
    tell("signal " + signal, KIND_SIGNAL, signal, List.of());
  }

  /**
   * Whether the first process has no children. When all of ours in it have ended before, it is
   * empty.
   */
  public boolean hasNoChildren() throws IOException {
    try {
      tell("whether it is empty", KIND_EMPTY, 1, List.of());
      return true; // if nobody is there to answer, too
    } catch (SystemCallException busy) {
      if (busy.errno() == Errno.EBUSY) {
        return false;
      }
      throw busy;
    }
  }

  /**
   * Waits until the first process has no children, or has ended.
   *
   * @param deadline a value of {@link System#nanoTime}; false if it passes first
   */
  public boolean awaitNoChildren(long deadline) throws IOException, InterruptedException {
    if (!use()) {
      return true;
    }
    try (StatusPipe status = new StatusPipe()) {
      if (!send(status, KIND_EMPTY, 0, List.of())) {
        return true;
      }
      boolean answered = status.awaitEnd(deadline);
      if (status.failed()) {
        throw new SystemCallException(WHO, "waiting until it is empty", status.errno());
      }
      return answered;
    } finally {
      release();
    }
  }

  /** Our end is not to be its end any more; it ends when the last in it has. */
  public void letGo(List<Pidfd> children) throws IOException {
    for (int from = 0; from == 0 || from < children.size(); from += PIDFDS_AT_ONCE) {
      int to = Math.min(from + PIDFDS_AT_ONCE, children.size());
      tell("to stay", KIND_RELEASE, to < children.size() ? 1 : 0, children.subList(from, to));
    }
  }

  /** Ends all in it. It is through once our own children in it are reaped: see {@link #end}. */
  public void kill() throws IOException {
    synchronized (this) {
      ending = true;
      if (!ended) {
        first.signal(SIGKILL);
      }
    }
  }

  /** Closes our end of its orders; unless it was let go, this ends it. */
  public void close() {
    synchronized (this) {
      closed = true;
      closeUnused();
    }
  }

  /**
   * @return false if it has ended, or does before it answers
   */
  private boolean tell(String what, int kind, int argument, List<Pidfd> children)
      throws IOException {
    if (!use()) {
      return false;
    }
    long patience = silent ? AGAIN_NANOS : ANSWER_NANOS;
    try (StatusPipe status = new StatusPipe()) {
      if (!send(status, kind, argument, children)) {
        return false;
      }
      boolean taken = status.awaitTaken(WHO, what, patience);
      silent = false;
      return taken;
    } catch (IOException failure) {
      silent = !(failure instanceof SystemCallException);
      throw failure;
    } finally {
      release();
    }
  }

  private boolean send(StatusPipe status, int kind, int argument, List<Pidfd> children)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(12, 8);
      message.set(ValueLayout.JAVA_INT, 0, MAGIC);
      message.set(ValueLayout.JAVA_INT, 4, kind);
      message.set(ValueLayout.JAVA_INT, 8, argument);
      int[] descriptors = new int[1 + children.size()];
      descriptors[0] = status.writeEnd();
      for (int i = 0; i < children.size(); i++) {
        descriptors[i + 1] = children.get(i).descriptor().number();
      }
      orders.send(message, descriptors);
    } catch (SystemCallException failure) {
      if (Keeper.isGone(failure)) {
        return false;
      }
      throw failure;
    }
    status.sent();
    return true;
  }

  private void reap() {
    Optional<ResourceUsage> usage = Optional.empty();
    try {
      ExitStatus status = first.reap();
      if (status == null) {
        first.lookAgain(this::reap);
        return;
      }
      usage = Optional.of(status.usage());
    } catch (IOException reapedByOthers) {
      // ECHILD: what it used is not known then.
    }
    watch.close();
    synchronized (this) {
      ended = true;
      closeUnused();
    }
    try {
      atReaping.accept(this, usage);
    } finally {
      end.complete(null);
    }
  }

  /** Kept from being closed until {@link #release}. */
  private synchronized boolean use() {
    if (ended || closed) {
      return false;
    }
    users++;
    return true;
  }

  private synchronized void release() {
    users--;
    closeUnused();
  }

  private void closeUnused() {
    if (users == 0 && (ended || closed)) {
      orders.close();
    }
    if (users == 0 && ended) {
      first.close();
    }
  }

  /** As a start looks whose first process is ending: it cannot be entered, or has no new pids. */
  private static boolean looksEnding(StartOutcome outcome) {
    return outcome instanceof StartOutcome.Failed failed
        ? (failed.step() == StartStep.NAMESPACE && failed.errno() == Errno.ESRCH)
            || (failed.step() == StartStep.CLONE && failed.errno() == Errno.ENOMEM)
        : outcome instanceof StartOutcome.KilledUnborn;
  }

  private boolean endsSoon() throws InterruptedException {
    try {
      end.get(END_MILLIS, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException alive) {
      return false;
    } catch (ExecutionException never) {
      throw new AssertionError(never);
    }
  }

  @Override
  public String toString() {
    return "pid namespace of " + first;
  }
}
