package dev.holdfast.linux;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One living keeper: the native process that starts children for us and ends the anchor when we
 * die. {@link PresentKeeper} replaces one that died.
 */
final class Keeper implements AutoCloseable {
  private static final String NAME = "holdfast-keeper";

  private static final int SIGKILL = 9;

  private static final int SIGCONT = 18;

  /**
   * The system property that names a directory where the keeper lies as a file: reading it from the
   * jar costs a short program 5 ms.
   */
  private static final String DIRECTORY = "dev.holdfast.keeper";

  private final Socket socket;
  private final Pidfd process;

  /** Of those who wait for an answer. */
  private final Set<Poller.Watch> waiting = ConcurrentHashMap.newKeySet();

  private Keeper(Socket socket, Pidfd process, Runnable atEnd) throws IOException {
    this.socket = socket;
    this.process = process;
    socket.whenFull(this::awaitRoom);
    Reaper.reapAtEnd(
        process,
        () -> {
          waiting.forEach(Poller.Watch::close);
          atEnd.run();
        });
  }

  /** Starts a keeper; {@code atEnd} is run by the poller's thread when it has died. */
  static Keeper start(Runnable atEnd) throws IOException {
    Signals.defaultChildSignal();
    Poller.shared();
    Socket.Pair pair = Socket.pair();
    int pid = 0;
    OwnChildren.starting();
    try (Descriptor theirs = pair.theirs();
        Pidfd self = Pidfd.open((int) ProcessHandle.current().pid())) {
      pid = spawn(theirs, self.descriptor());
      Pidfd process = Pidfd.open(pid);
      OwnChildren.add(process);
      return new Keeper(pair.ours(), process, atEnd);
    } catch (IOException failure) {
      pair.ours().close();
      if (pid != 0) {
        Reaper.end(pid);
      }
      throw failure;
    } finally {
      OwnChildren.started();
    }
  }

  int pid() {
    return process.pid();
  }

  boolean isAlive() {
    try {
      return !process.hasEnded();
    } catch (IOException closed) {
      return false;
    }
  }

  /** Has {@code watch}, which somebody waits with, closed when it dies. */
  void closeAtEnd(Poller.Watch watch) {
    waiting.add(watch);
    if (!isAlive()) {
      watch.close();
    }
  }

  void awaitsNoMore(Poller.Watch watch) {
    waiting.remove(watch);
  }

  boolean isAwaited() {
    return !waiting.isEmpty();
  }

  /** Somebody else may have a copy of the socket of a dead one: its children have. */
  private void awaitRoom() throws IOException {
    if (!isAlive()) {
      throw new SystemCallException("sendmsg", "keeper", Errno.EPIPE);
    }
    rouse();
  }

  /**
   * Whoever has its user may stop it, and nobody else would let it go on as long as we live: then a
   * start would wait for ever.
   */
  void rouse() {
    try {
      ProcessTable.Entry entry = ProcessTable.system().entry(process.pid());
      if (entry != null && entry.state() == 'T') {
        process.signal(SIGCONT);
      }
    } catch (IOException refused) {
      // It has ended, or cannot be looked at now.
    }
  }

  void send(Message message, int status) throws IOException {
    message.send(socket, status);
  }

  /** What is sent to be answered on the status pipe with this write end. */
  @FunctionalInterface
  interface Message {
    void send(Socket socket, int status) throws IOException;
  }

  /**
   * Says something and waits until it has been taken in.
   *
   * @return false if the keeper has died
   * @throws IOException if it did not take it
   */
  boolean tell(String what, Message message) throws IOException {
    try (StatusPipe status = new StatusPipe()) {
      message.send(socket, status.writeEnd());
      status.sent();
      return status.awaitTaken(what, this);
    } catch (SystemCallException failure) {
      if (isGone(failure)) {
        return false;
      }
      throw failure;
    }
  }

  /** Whether it is the error of sending to a keeper that is not there any more. */
  static boolean isGone(SystemCallException failure) {
    return failure.errno() == Errno.EPIPE
        || failure.errno() == Errno.ECONNRESET
        || failure.errno() == Errno.ECONNREFUSED;
  }

  /** Ends it before it was of use: unlike {@link #close} it ends nothing else. */
  void discard() {
    try {
      process.signal(SIGKILL);
    } catch (IOException ended) {
      // That is what was wanted.
    }
    socket.close();
  }

  /** Lets it go: it ends the anchor, if that is still there, and leaves. */
  @Override
  public void close() {
    socket.close();
  }

  private static int spawn(Descriptor socket, Descriptor self) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment image = arena.allocateFrom(ValueLayout.JAVA_BYTE, image());
      try (Descriptor memfd = MemoryFile.executable(NAME, image)) {
        return spawn("/proc/self/fd/" + memfd.number(), socket, self, memfd.number());
      } catch (SystemCallException refused) {
        return spawnFromFile(socket, self, refused);
      }
    }
  }

  /** Where memory files may not be executed (vm.memfd_noexec=2) or /proc is not mounted. */
  private static int spawnFromFile(Descriptor socket, Descriptor self, SystemCallException refused)
      throws IOException {
    Path file =
        java.nio.file.Files.createTempFile(
            NAME,
            "",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try {
      java.nio.file.Files.write(file, image());
      return spawn(file.toString(), socket, self, socket.number());
    } catch (IOException failure) {
      failure.addSuppressed(refused);
      throw failure;
    } finally {
      java.nio.file.Files.delete(file);
    }
  }

  /**
   * The keeper closes whatever else it inherits.
   *
   * @param kept a descriptor that must stay what it is until the exec
   */
  private static int spawn(String file, Descriptor socket, Descriptor self, int kept)
      throws IOException {
    int first = unlike(socket.number(), self.number(), kept);
    int second = unlike(socket.number(), self.number(), kept, first);
    return Kernel.get()
        .spawn(
            file,
            new String[] {NAME, Integer.toString(first), Integer.toString(second)},
            new String[0],
            List.of(
                new Kernel.Passed(socket.number(), first),
                new Kernel.Passed(self.number(), second)));
  }

  /** A low number, whatever it is in this process: the child has a table of its own. */
  private static int unlike(int... numbers) {
    int free = 0;
    for (int i = 0; i < numbers.length; i++) {
      if (numbers[i] == free) {
        free++;
        i = -1; // it may be one of those that were passed
      }
    }
    return free;
  }

  private static byte[] image() throws IOException {
    String name = "keeper-" + Kernel.get().architecture();
    String directory = System.getProperty(DIRECTORY);
    if (directory != null) {
      Path file = RawText.path(directory).resolve(name);
      if (java.nio.file.Files.isReadable(file)) {
        return java.nio.file.Files.readAllBytes(file);
      }
    }
    try (InputStream in = Keeper.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException(
            "the keeper for this processor (" + name + ") is not in this build of Holdfast");
      }
      return in.readAllBytes();
    }
  }

  @Override
  public String toString() {
    return NAME + " " + process;
  }
}
