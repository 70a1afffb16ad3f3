package dev.holdfast.linux;

import java.io.IOException;

/** Reaps children that nobody waits for, when the poller says that they have ended. */
final class Reaper {
  private Reaper() {}

  /** Reaps and closes {@code child} once it has ended. */
  static void reapAtEnd(Pidfd child) throws IOException {
    reapAtEnd(child, () -> {});
  }

  /**
   * As {@link #reapAtEnd(Pidfd)}, and then runs {@code after}, which must not block, on the
   * poller's thread.
   */
  static void reapAtEnd(Pidfd child, Runnable after) throws IOException {
    Poller.Watch watch = Poller.shared().watch(child.descriptor());
    watch.onEvent(
        Poller.READABLE,
        () -> {
          watch.close();
          try (child) {
            child.reap();
          } catch (IOException reapedByOthers) {
            // ECHILD: it is gone, which is all that is wanted here.
          }
          after.run();
        });
  }
}
