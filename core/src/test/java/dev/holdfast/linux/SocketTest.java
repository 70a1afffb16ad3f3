package dev.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.testing.OpenFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SocketTest {
  @Test
  void oneThatIsClosedIsAsOneWhoseOtherEndIs() throws Exception {
    Socket.Pair pair = Socket.pair();
    pair.ours().close();
    assertThatExceptionOfType(SystemCallException.class)
        .isThrownBy(() -> send(pair.ours()))
        .matches(Keeper::isGone);
    pair.theirs().close();
  }

  /** Or it would go to whoever has been given the number meanwhile. */
  @Test
  void keepsItsNumberAsLongAsSomebodySends() throws Exception {
    Set<Path> before = sockets();
    Socket.Pair pair = Socket.pair();
    Set<Path> ends = sockets();
    ends.removeAll(before);
    assertThat(ends).hasSize(2);

    AtomicInteger sent = new AtomicInteger();
    CompletableFuture<Path> task = new CompletableFuture<>();
    FutureTask<Void> sender =
        new FutureTask<>(() -> {
          task.complete(Path.of("/proc/thread-self").toRealPath());
          while (true) {
            send(pair.ours());
            sent.incrementAndGet();
          }
        });
    Thread.ofPlatform().start(sender);
    Path call = task.get().resolve("syscall");
    assumeTrue(Files.exists(call), "no " + call);
    String blocked = SystemCall.PPOLL.number(Kernel.get().architecture().equals("aarch64")) + " ";
    AtomicInteger last = new AtomicInteger(-1);
    Awaitility.await("the queue is full")
        .until(() ->
            last.getAndSet(sent.get()) == sent.get() && Files.readString(call).startsWith(blocked));

    pair.ours().close();
    assertThat(sockets()).containsAll(ends);

    pair.theirs().close();
    assertThatThrownBy(sender::get).hasCauseInstanceOf(SystemCallException.class);
    assertThat(sockets()).doesNotContainAnyElementsOf(ends);
  }

  /** As the kernel names them: {@code socket:[INODE]}. */
  private static Set<Path> sockets() throws IOException {
    Set<Path> sockets = new HashSet<>(OpenFiles.targets());
    sockets.removeIf(file -> !file.toString().startsWith("socket:"));
    return sockets;
  }

  private static void send(Socket socket) throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(1024);
      socket.send(message, new int[0]);
    }
  }
}
