package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Block devices by number, as the io and blkio controllers take them: {@code 8:0}. */
final class BlockDevice {
  static final Path SYS = Path.of("/sys");

  private static final Pattern NUMBER = Pattern.compile("([0-9]{1,4}):([0-9]{1,7})");

  private BlockDevice() {}

  /**
   * The number of the device {@code text}, which is a number already or an absolute path.
   *
   * @throws IllegalArgumentException if it is neither, or no block device
   */
  static String number(String text) {
    Matcher number = NUMBER.matcher(text);
    if (number.matches()) {
      int major = Integer.parseInt(number.group(1));
      int minor = Integer.parseInt(number.group(2));
      if (major <= DeviceRule.GREATEST_MAJOR && minor <= DeviceRule.GREATEST_MINOR) {
        return major + ":" + minor;
      }
    } else if (text.startsWith("/")) {
      DeviceNode node = DeviceNode.at(Path.of(text));
      if (node.type() != DeviceRule.Type.BLOCK) {
        throw new IllegalArgumentException(text + " is no block device");
      }
      return node.major() + ":" + node.minor();
    }
    throw new IllegalArgumentException(
        "\"" + text + "\" is no block device: give a path such as /dev/sda, or its number as 8:0");
  }

  /**
   * Reports that the kernel refused to write {@code file}. It limits whole disks, and has the same
   * ENODEV for a partition as for a device that is not there (K: block/blk-cgroup.c).
   */
  static void refused(
      Limits.Request request, Directory group, String file, int errno, LimitRows rows, Path sys)
      throws IOException {
    String number = request.key();
    Path device = sys.resolve("dev/block").resolve(number);
    if (number.isEmpty()) {
      rows.refused(request, group, file, errno);
    } else if (errno == Errno.ENODEV && Files.exists(device.resolve("partition"))) {
      rows.refused(
          request,
          group,
          file,
          errno,
          "the device " + number + " is a partition, and " + file + " is about whole disks",
          "give its disk" + disk(device));
    } else if (errno == Errno.ENODEV) {
      rows.refused(
          request,
          group,
          file,
          errno,
          "there is no block device " + number,
          "give one of those in " + sys.resolve("block"));
    } else if (errno == Errno.EOPNOTSUPP) {
      rows.refused(
          request,
          group,
          file,
          errno,
          "nothing there schedules the device by " + file,
          "have it use the bfq scheduler (queue/scheduler), or switch it on in io.cost.qos of the"
              + " root group");
    } else {
      rows.refused(request, group, file, errno);
    }
  }

  /** {@code /sys/dev/block/8:1} leads to {@code …/block/sda/sda1}. */
  private static String disk(Path partition) {
    try {
      Path disk = partition.toRealPath().getParent();
      return disk == null
          ? ""
          : GroupFile.text(disk.resolve("dev"))
              .map(number -> ", " + disk.getFileName() + " (" + number + ")")
              .orElse("");
    } catch (IOException gone) {
      return "";
    }
  }
}
