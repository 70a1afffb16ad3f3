package dev.holdfast.linux;

import org.jspecify.annotations.Nullable;

/**
 * The one place that every change of a directory, or of a file in one, passes: what is made and
 * removed, opened for writing, written, given away; and every bpf(2). Here tests watch what is
 * done, and have it fail as the kernel could; everybody else pays for one look at a field.
 *
 * <p>Thread-safe.
 */
final class Changes {
  /** What stands in the way. */
  @FunctionalInterface
  interface Fault {
    /**
     * The errno that the call fails with, without being made; 0 to let it be made.
     *
     * @param value what would be written; null if it is no write
     */
    int errno(SystemCall call, String path, @Nullable String value);
  }

  static volatile @Nullable Fault fault;

  private Changes() {}

  /**
   * 0 if the call may be made, else {@code -errno}, as from the kernel.
   *
   * @param directory what {@code name} is in; null if it is a path, or a command of bpf(2)
   */
  static long refused(
      SystemCall call, @Nullable Directory directory, String name, @Nullable String value) {
    Fault present = fault;
    return present == null
        ? 0
        : -present.errno(call, directory == null ? name : directory + "/" + name, value);
  }
}
