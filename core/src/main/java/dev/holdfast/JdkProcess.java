package dev.holdfast;

import dev.holdfast.containment.ProcessTreeContainer;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A child that the JDK started, and reaps on a thread of its own. It tells a process that a signal
 * ended by 128 and the signal's number, and nothing from one that chose such an exit code: so there
 * is a signal here only if it is the one that we sent.
 */
final class JdkProcess implements ChildProcess {
  private final Process process;
  private final ProcessTreeContainer tree;
  private final CompletableFuture<Child.Exit> exit;

  JdkProcess(Process process, ProcessTreeContainer tree) {
    this.process = process;
    this.tree = tree;
    this.exit = process.onExit().thenApply(ended -> exit(ended.exitValue()));
  }

  private Child.Exit exit(int value) {
    int signal = tree.ended(process.toHandle());
    return signal != 0 && value == 128 + signal
        ? new Child.Exit(-1, Optional.of(new Signal(signal)))
        : new Child.Exit(value, Optional.empty());
  }

  @Override
  public int pid() {
    return Math.toIntExact(process.pid());
  }

  @Override
  public CompletableFuture<Child.Exit> exit() {
    return exit;
  }

  @Override
  public boolean hasEnded() {
    return !process.isAlive();
  }

  @Override
  public boolean signal(int signal) throws IOException {
    tree.checkSignal(signal);
    return process.isAlive() && tree.send(signal, process.toHandle());
  }

  @Override
  public boolean endsBriefly(long deadline) {
    return exit.isDone();
  }

  @Override
  public String toString() {
    return "pid " + process.pid();
  }
}
