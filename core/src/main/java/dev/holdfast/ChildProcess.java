package dev.holdfast;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** The process of a {@link Child}: one of the keeper's, or one of the JDK's. Thread-safe. */
sealed interface ChildProcess permits Reaping, JdkProcess {
  int pid();

  /** Completed when the process has ended; never by those who get it. */
  CompletableFuture<Child.Exit> exit();

  /** Whether it has ended by now, which may be known before {@link #exit} is completed. */
  boolean hasEnded();

  /** Sends it a signal; false if it has ended. */
  boolean signal(int signal) throws IOException;

  /** Looks for its end for a moment, where that costs less than to be told of it. */
  boolean endsBriefly(long deadline) throws IOException;
}
