package dev.holdfast.linux;

import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/** The one thread that tidies up after objects that were forgotten without being closed. */
public final class Forgotten {
  private static @Nullable Cleaner cleaner;

  private Forgotten() {}

  /**
   * Runs {@code action}, which must not refer to {@code object}, once nothing refers to it any
   * more.
   */
  public static synchronized void whenForgotten(Object object, Runnable action) {
    if (cleaner == null) {
      cleaner = Cleaner.create();
    }
    cleaner.register(object, action);
  }
}
