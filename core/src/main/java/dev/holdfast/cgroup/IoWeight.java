package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Weights of input and output, in the three units that the kernel has had: v2's {@code io.weight},
 * 1 to 10000, of which 100 are usual; those of the scheduler bfq, 1 to 1000, of which 100 are
 * usual; and v1's {@code blkio.weight} before Linux 5.0, 10 to 1000, of which 500 are usual.
 * Container runtimes have agreed to give v1's to bfq as it is, and to v2 by a straight line between
 * the ends.
 */
enum IoWeight {
  IO("io.weight", "io.weight", 1, 10_000),
  BFQ("io.bfq.weight", "io.bfq.weight", 1, 1000),
  LEGACY_BFQ("blkio.bfq.weight", "blkio.bfq.weight_device", 1, 1000),
  LEGACY("blkio.weight", "blkio.weight_device", 10, 1000);

  static final int LEAST_BLKIO = 10;
  static final int MOST_BLKIO = 1000;

  /** The usual 100 are the usual 500. */
  private static final long LEGACY_FOR_ONE = 5;

  private final String file;
  private final String deviceFile;
  private final long least;
  private final long most;

  IoWeight(String file, String deviceFile, long least, long most) {
    this.file = file;
    this.deviceFile = deviceFile;
    this.least = least;
    this.most = most;
  }

  /** Sets all weights that are asked for in {@code first}, or else in the other one. */
  static void apply(
      Limits limits, Directory group, IoWeight first, IoWeight other, LimitRows rows, Path sys)
      throws IOException {
    for (Limits.Request request : limits.all(LimitKind.IO_WEIGHT)) {
      IoWeight unit = group.has(first.file(request)) ? first : other;
      if (!unit.apply(
          request, group, rows, sys, unit == other || !group.has(other.file(request)))) {
        other.apply(request, group, rows, sys, /* last= */ true);
      }
    }
  }

  private String file(Limits.Request request) {
    return request.key().isEmpty() ? file : deviceFile;
  }

  /**
   * Sets it.
   *
   * @param last whether there is no other file that could do it
   * @return false if another file has to, as the device is scheduled by other weights
   */
  private boolean apply(
      Limits.Request request, Directory group, LimitRows rows, Path sys, boolean last)
      throws IOException {
    String name = file(request);
    long weight = weight(request.value());
    if (weight < least || weight > most) {
      if (!request.key().isEmpty() && !last) {
        return false;
      }
      rows.refused(
          request,
          name + " takes " + least + " to " + most + ", and this is " + weight + " there",
          "give a weight nearer to 100, which is usual",
          null);
      return true;
    }
    String device = request.key();
    Directory.Exchange exchange =
        device.isEmpty()
            ? rows.exchange(group, name, Long.toString(weight))
            : rows.exchange(group, name, device, Long.toString(weight), "default");
    if (exchange.errno() == Errno.EOPNOTSUPP && !last) {
      return false;
    }
    if (exchange.errno() != 0) {
      BlockDevice.refused(request, group, name, exchange.errno(), rows, sys);
    } else {
      rows.check(
          request, group, name, LimitValue.count(weight), exchange, text -> value(text, device));
    }
    return true;
  }

  /** In this unit. */
  private long weight(LimitValue value) {
    if (value instanceof LimitValue.BlkioWeight(long raw)) {
      return this == IO ? ofBlkio(raw) : raw;
    }
    if (value instanceof LimitValue.Count(long weight)) {
      return this == LEGACY ? weight * LEGACY_FOR_ONE : weight;
    }
    throw new IllegalArgumentException(value.toString());
  }

  /** The straight line between the ends. */
  static long ofBlkio(long weight) {
    final long span = 9999;
    return 1 + (weight - LEAST_BLKIO) * span / (MOST_BLKIO - LEAST_BLKIO);
  }

  /** {@code "default 100\n8:0 200\n"}; v1's for all devices is a number alone. */
  private static @Nullable LimitValue value(String text, String device) {
    Optional<String> line = KeyedLine.of(text, device.isEmpty() ? "default" : device);
    return LimitRows.countOrMax(line.orElse(device.isEmpty() ? text : ""));
  }
}
