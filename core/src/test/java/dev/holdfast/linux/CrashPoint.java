package dev.holdfast.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Ends this process with SIGKILL right before one of its system calls, and so after the one before
 * it. Says so in a line first: {@code died 17 mkdirat Branch.make, Hierarchies.make}.
 */
public final class CrashPoint {
  /** Who dies. */
  public enum Victim {
    /** Nobody: each call gets a line, {@code call 17 mkdirat …}. */
    NOBODY,
    JVM,
    /** The keeper first; nobody puts another in its place, since all calls of ours stand still. */
    JVM_AND_KEEPER
  }

  private static final int FRAMES = 3;
  private static final int SIGKILL = 9;

  private final Victim victim;
  private final int number;
  private final AtomicInteger calls = new AtomicInteger();
  private volatile @Nullable Thread dying;

  private CrashPoint(Victim victim, int number) {
    this.victim = victim;
    this.number = number;
  }

  /**
   * Counts from now on; to be called before anything else.
   *
   * @param number of the call, from 1
   */
  public static void set(Victim victim, int number) {
    Kernel.witness = new CrashPoint(victim, number)::before;
  }

  private void before(String call) {
    if (dying == Thread.currentThread()) {
      return;
    }
    int count = calls.incrementAndGet();
    if (victim == Victim.NOBODY) {
      System.out.println("call " + count + " " + call + " " + place());
    } else if (count == number) {
      dying = Thread.currentThread();
      die("died " + count + " " + call + " " + place());
    } else if (count > number) {
      LockSupport.park(); // a moment later there is no thread
    }
  }

  private void die(String line) {
    System.out.println(line);
    if (victim == Victim.JVM_AND_KEEPER) {
      killKeepers();
    }
    kill((int) ProcessHandle.current().pid());
    throw new AssertionError("alive after SIGKILL");
  }

  /** Whose call it is: the innermost methods above this package. */
  private static String place() {
    return StackWalker.getInstance()
        .walk(frames ->
            frames
                .filter(frame -> frame.getClassName().startsWith("dev.holdfast."))
                .filter(frame -> !isBelow(frame.getClassName()))
                .limit(FRAMES)
                .map(frame -> simpleName(frame.getClassName()) + "." + frame.getMethodName())
                .collect(Collectors.joining(", ")));
  }

  private static boolean isBelow(String name) {
    return List.of("Kernel", "Directory", "Descriptor", "CrashPoint").contains(simpleName(name));
  }

  private static String simpleName(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /** Those of this process; returns when they have ended. */
  public static void killKeepers() {
    int self = (int) ProcessHandle.current().pid();
    try {
      for (ProcessTable.Entry child : ProcessTable.system().entries()) {
        if (child.parent() == self && child.isAlive() && isKeeper(child.pid())) {
          kill(child.pid());
          awaitEnd(child.pid());
        }
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static void awaitEnd(int pid) throws IOException {
    ProcessTable.Entry entry = ProcessTable.system().entry(pid);
    while (entry != null && entry.isAlive()) {
      Thread.onSpinWait();
      entry = ProcessTable.system().entry(pid);
    }
  }

  private static boolean isKeeper(int pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1)
          .startsWith("holdfast-keeper\0");
    } catch (IOException gone) {
      return false;
    }
  }

  private static void kill(int pid) {
    Kernel.get().call(SystemCall.KILL, pid, SIGKILL);
  }
}
