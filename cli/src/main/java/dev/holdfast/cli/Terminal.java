package dev.holdfast.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether stdin is a terminal. */
final class Terminal {
  private Terminal() {}

  /**
   * By the device number of descriptor 0, so that a terminal of another mount namespace or one that
   * has no name any more counts too.
   */
  static boolean isStdin() {
    try {
      // st_rdev is 0 for what is no device. The C library's makedev: the major number in bits 8 to
      // 19 and from 32.
      long device =
          ((Number) Files.getAttribute(Path.of("/proc/self/fd/0"), "unix:rdev")).longValue();
      int mode = (Integer) Files.getAttribute(Path.of("/proc/self/fd/0"), "unix:mode");
      return isCharacterDevice(mode)
          && isTerminal((int) (((device >>> 8) & 0xFFF) | ((device >>> 32) & 0xFFFFF000L)));
    } catch (IOException | RuntimeException closedOrNoProc) {
      return false;
    }
  }

  private static boolean isCharacterDevice(int mode) {
    return (mode & 0170000) == 0020000;
  }

  /**
   * The kernel's devices.txt: 4 and 5 consoles and serial lines, 136 to 143 pseudo terminals, and
   * so on.
   */
  private static boolean isTerminal(int major) {
    return major == 4
        || major == 5
        || (major >= 136 && major <= 143)
        || major == 166
        || major == 188
        || major == 204
        || major == 229;
  }
}
