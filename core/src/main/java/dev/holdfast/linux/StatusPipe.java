package dev.holdfast.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The pipe on which one request is answered. Its end of file, after every write end is closed, is
 * the answer; the records found before it say which ({@code native/protocol.h}).
 */
final class StatusPipe implements AutoCloseable {
  private static final int RECORD = 16;
  private static final int SPAWNED = 1;
  private static final int RUNNING = 2;
  private static final int FAILED = 3;
  private static final int TAKEN = 4;
  private static final int ENTERING = 5;

  /** The keeper answers at once, unless it is stopped; so much it may be late. */
  static final long PID_NANOS = 1_000_000_000L;

  /** What is answered without any process, by a keeper that may just be coming to life. */
  private static final long ANSWER_NANOS = 10_000_000_000L;

  private final Pipe pipe;
  private int pid;
  private int entering;
  private boolean taken;
  private int value;
  private boolean running;
  private boolean failed;
  private int errno;
  private int step;
  private int detail;
  private boolean ended;
  private boolean left;

  /** Of those that are ended since this was left: a number may be another's afterwards. */
  private boolean endedEntering;

  private boolean endedPid;

  StatusPipe() throws SystemCallException {
    this.pipe = Pipe.nonBlocking();
  }

  int writeEnd() throws IOException {
    return pipe.writeEnd().number();
  }

  /** To be called once the request is sent: from then on only keeper and child hold write ends. */
  void sent() {
    pipe.writeEnd().close();
  }

  /** Waits for the end of file and reads all records; false if the deadline passes first. */
  boolean awaitEnd(long deadline) throws IOException, InterruptedException {
    boolean ended;
    try (Poller.Watch watch = Poller.shared().watch(pipe.readEnd())) {
      // Readiness for reading is not asked for: only the hang-up ends this wait.
      ended = watch.await(0, deadline) != 0;
    }
    read();
    return ended;
  }

  /**
   * As above, but without a deadline; false if {@code keeper} dies before. Then there may be a
   * child that has not told of itself yet, in a frozen group; and requests that the keeper has not
   * read stay open as long as somebody has a copy of its socket, which that child has.
   *
   * @param waiting run once the keeper knows that somebody waits
   */
  boolean awaitEndBy(Keeper keeper, Runnable waiting) throws IOException, InterruptedException {
    boolean hungUp;
    try (Poller.Watch watch = Poller.shared().watch(pipe.readEnd())) {
      keeper.closeAtEnd(watch);
      try {
        waiting.run();
        hungUp = watch.await(0, Long.MAX_VALUE) != 0;
      } finally {
        keeper.awaitsNoMore(watch);
      }
    }
    read();
    return hungUp;
  }

  /** Whether nobody has told anything until now. */
  boolean isSilent() throws IOException {
    if (Poller.look(number(), Poller.READABLE, 0) != 0) {
      read();
    }
    return pid == 0 && entering == 0 && !failed && !taken;
  }

  /**
   * As {@link #awaitEnd}, for requests that the keeper answers by itself.
   *
   * @return false if there is no answer, since the keeper died before
   * @throws IOException if what was asked for was not taken
   */
  boolean awaitTaken(String what, Keeper keeper) throws IOException {
    awaitAnswer(what, keeper);
    return isTaken("keeper", what);
  }

  /** As above, of {@code who}, and so long at most. */
  boolean awaitTaken(String who, String what, long nanos) throws IOException {
    if (Poller.look(number(), 0, nanos) == 0) {
      throw noAnswer(who, what);
    }
    read();
    return isTaken(who, what);
  }

  private boolean isTaken(String who, String what) throws SystemCallException {
    if (failed) {
      throw new SystemCallException(who, what, errno);
    }
    return taken;
  }

  /** As {@link #awaitEndBy}, for what {@code keeper} has done in a moment. */
  void awaitAnswer(String what, Keeper keeper) throws IOException {
    if (Poller.look(number(), 0, PID_NANOS) == 0) {
      keeper.rouse();
      if (keeper.isAlive()
          && Poller.look(number(), 0, ANSWER_NANOS - PID_NANOS) == 0
          && keeper.isAlive()) {
        throw noAnswer("keeper", what);
      }
    }
    read();
  }

  static IOException noAnswer(String who, String what) {
    return new IOException(
        who
            + " does not answer about "
            + what
            + " (look whether it is stopped, with ps -o stat, and continue it)");
  }

  /** Waits until the keeper has told the pid, or nothing more will come. */
  void awaitPid() throws IOException {
    while (pid == 0 && !failed) {
      int seen = Poller.look(number(), Poller.READABLE, PID_NANOS);
      ended |= (seen & (Poller.HANGUP | Poller.READABLE)) == Poller.HANGUP;
      if ((seen & Poller.READABLE) == 0) {
        return;
      }
      read();
    }
  }

  /**
   * Leaves it to the poller, where the pid may still be told: whoever it tells of then is ended and
   * reaped. It closes itself when nobody can tell anything any more.
   */
  void leave() throws IOException {
    if (ended || left) {
      return;
    }
    // Until then a child that nobody knows may be one of ours.
    OwnChildren.starting();
    left = true;
    endedEntering = entering != 0;
    endedPid = pid != 0;
    Poller.Watch watch = Poller.shared().watch(pipe.readEnd());
    try {
      watch.onEvents(Poller.READABLE, seen -> endTold(watch, seen));
    } catch (IOException refused) {
      closeLeft(watch);
      throw refused;
    }
  }

  private void endTold(Poller.Watch watch, int seen) {
    boolean more = false;
    try {
      if ((seen & Poller.READABLE) != 0) {
        read();
        if (entering != 0 && !endedEntering) {
          endedEntering = true;
          Reaper.endSoon(entering);
        }
        if (pid != 0 && !endedPid) {
          endedPid = true;
          Reaper.endSoon(pid);
        }
        watch.onEvents(Poller.READABLE, next -> endTold(watch, next));
        more = true;
      }
    } catch (IOException refused) {
      // Then nobody can be told of any more.
    } finally {
      if (!more) {
        closeLeft(watch);
      }
    }
  }

  private void closeLeft(Poller.Watch watch) {
    watch.close();
    pipe.close();
    OwnChildren.started();
  }

  /** The child's process id as we see it, or 0 if none was told. */
  int pid() {
    return pid;
  }

  /**
   * The child that went before it into a namespace, or 0. It has done its part at the end of file,
   * and is to be reaped.
   */
  int entering() {
    return entering;
  }

  boolean taken() {
    return taken;
  }

  /** Of what was taken. */
  int value() {
    return value;
  }

  /** Of what was taken, or failed. */
  int detail() {
    return detail;
  }

  int errno() {
    return errno;
  }

  /** Whether the child reached its first instruction. */
  boolean running() {
    return running;
  }

  boolean failed() {
    return failed;
  }

  StartStep step() {
    return StartStep.of(step);
  }

  StartOutcome.Failed failure() {
    return new StartOutcome.Failed(step(), errno, detail);
  }

  private void read() throws IOException {
    Kernel kernel = Kernel.get();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(8L * RECORD, 8);
      long length = kernel.call(SystemCall.READ, number(), buffer.address(), buffer.byteSize());
      for (long at = 0; at + RECORD <= length; at += RECORD) {
        int value = buffer.get(ValueLayout.JAVA_INT, at + 4);
        switch (buffer.get(ValueLayout.JAVA_INT, at)) {
          case SPAWNED -> pid = value;
          case RUNNING -> {
            running = true;
            pid = pid == 0 ? value : pid;
          }
          case ENTERING -> entering = value;
          case TAKEN -> {
            taken = true;
            this.value = buffer.get(ValueLayout.JAVA_INT, at + 8);
            detail = buffer.get(ValueLayout.JAVA_SHORT, at + 14);
          }
          case FAILED -> {
            failed = true;
            errno = buffer.get(ValueLayout.JAVA_INT, at + 8);
            step = buffer.get(ValueLayout.JAVA_SHORT, at + 12);
            detail = buffer.get(ValueLayout.JAVA_SHORT, at + 14);
          }
          default ->
              throw new IOException(
                  "the keeper speaks another protocol (take all of Holdfast's jars from one release)");
        }
      }
    }
  }

  private int number() throws IOException {
    return pipe.readEnd().number();
  }

  /** Unless it was left: then that is for later. */
  @Override
  public void close() {
    if (!left) {
      pipe.close();
    }
  }
}
