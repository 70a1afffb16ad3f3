package dev.holdfast.cgroup;

import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.KernelFiles;
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

  static PeakWindow open(Directory group, String name) throws HoldfastException {
    String path = group.path().resolve(name).toString();
    PeakWindow window;
    try {
      window = new PeakWindow(group.openToReadAndWrite(name), path);
    } catch (IOException refused) {
      throw refused(path, refused);
    }
    try {
      window.reset();
      return window;
    } catch (HoldfastException | RuntimeException failure) {
      window.close();
      throw failure;
    }
  }

  private static HoldfastException refused(String path, IOException refused) {
    String remedy =
        switch (Refusal.errno(refused)) {
          case Errno.EINVAL, Errno.EACCES, Errno.ENOENT -> "use Linux 6.12 or later with cgroup v2";
          default -> Refusal.remedy(Refusal.errno(refused));
        };
    return Refusal.of("cannot watch the peak in " + path + " from now on", refused, remedy);
  }

  /**
   * Begins anew: what is used now is the peak.
   *
   * @throws HoldfastException as {@link Cgroup#peakWindow} does; also if the group was removed
   */
  public void reset() throws HoldfastException {
    try {
      KernelFiles.write(file, path, "reset");
    } catch (IOException refused) {
      throw refused(path, refused);
    }
  }

  /**
   * The highest use since then, in bytes.
   *
   * @throws HoldfastException if the group was removed
   */
  public OptionalLong bytes() throws HoldfastException {
    try {
      return FlatKeyed.number(KernelFiles.read(file, path));
    } catch (IOException failure) {
      throw Refusal.of("cannot read the peak in " + path, failure);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
