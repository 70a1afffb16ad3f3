package dev.holdfast.cgroup;

import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.KernelFiles;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.util.OptionalLong;

/**
 * The highest use of memory, or of swap, since a moment of one's own choice. The kernel keeps one
 * peak for each open file from the first write to it on (Linux 6.12), so windows do not disturb
 * each other, nor {@link Usage}.
 *
 * <p>Thread-safe. Close it before the group.
 */
public final class PeakWindow implements AutoCloseable {
  static final String MEMORY = "memory.peak";
  static final String SWAP = "memory.swap.peak";

  private final Descriptor file;
  private final String path;

  private PeakWindow(Descriptor file, String path) {
    this.file = file;
    this.path = path;
  }

  static PeakWindow open(Directory group, String name) throws IOException {
    String path = group.path().resolve(name).toString();
    try {
      PeakWindow window = new PeakWindow(group.openToReadAndWrite(name), path);
      try {
        window.reset();
        return window;
      } catch (IOException | RuntimeException failure) {
        window.close();
        throw failure;
      }
    } catch (SystemCallException refused) {
      boolean tooOld =
          refused.errno() == Errno.EINVAL
              || refused.errno() == Errno.EACCES
              || refused.errno() == Errno.ENOENT;
      throw new HoldfastException(
          "cannot watch the peak in " + name + " from now on",
          String.valueOf(refused.getMessage()),
          tooOld ? "use Linux 6.12 or later with cgroup v2" : Refusal.remedy(refused.errno()),
          refused);
    }
  }

  /** Begins anew: what is used now is the peak. */
  public void reset() throws IOException {
    KernelFiles.write(file, path, "reset");
  }

  /** The highest use since then, in bytes. */
  public OptionalLong bytes() throws IOException {
    return FlatKeyed.number(KernelFiles.read(file, path));
  }

  @Override
  public void close() {
    file.close();
  }
}
