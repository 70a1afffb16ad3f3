package dev.holdfast.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The device behind a file such as {@code /dev/null}. */
record DeviceNode(DeviceRule.Type type, int major, int minor) {
  /**
   * Looks it up now; a symbolic link is followed.
   *
   * @throws IllegalArgumentException if it is no device
   */
  static DeviceNode at(Path path) {
    final int formatMask = 0170000;
    final int block = 0060000;
    final int character = 0020000;
    long device;
    int format;
    try {
      format = (Integer) Files.getAttribute(path, "unix:mode") & formatMask;
      device = (Long) Files.getAttribute(path, "unix:rdev");
    } catch (IOException | UnsupportedOperationException unreadable) {
      throw new IllegalArgumentException("cannot find the device " + path, unreadable);
    }
    if (format != block && format != character) {
      throw new IllegalArgumentException(path + " is no device");
    }
    // The C library's makedev: minor 8 bits, major 12, and the rest of both above.
    return new DeviceNode(
        format == block ? DeviceRule.Type.BLOCK : DeviceRule.Type.CHARACTER,
        (int) ((device >> 8) & DeviceRule.GREATEST_MAJOR),
        (int) ((device & 0xff) | ((device >> 12) & 0xfff00)));
  }
}
