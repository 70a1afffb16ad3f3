package dev.holdfast.cgroup;

/** What {@link LimitKind#IO_MAX} limits of a block device, each in a second. */
public enum IoRate {
  READ_BYTES("rbps", "read_bps"),
  WRITE_BYTES("wbps", "write_bps"),
  READS("riops", "read_iops"),
  WRITES("wiops", "write_iops");

  /** The kernel keeps operations in 32 bits, and the greatest of these stands for no limit. */
  private static final long MOST_OPERATIONS = (1L << 32) - 1;

  private final String key;
  private final String legacy;

  IoRate(String key, String legacy) {
    this.key = key;
    this.legacy = legacy;
  }

  /** As {@code io.max} and the command name it: {@code rbps}. */
  public String key() {
    return key;
  }

  String legacyFile() {
    return "blkio.throttle." + legacy + "_device";
  }

  LimitValue parse(String text) {
    if (LimitText.isUnlimited(text)) {
      return LimitValue.UNLIMITED;
    }
    if (this == READ_BYTES || this == WRITE_BYTES) {
      return LimitText.size(text);
    }
    LimitValue value = LimitText.count(text, 1, Long.MAX_VALUE);
    return value instanceof LimitValue.Count(long count) && count >= MOST_OPERATIONS
        ? LimitValue.UNLIMITED
        : value;
  }

  static IoRate of(String key) {
    for (IoRate rate : values()) {
      if (rate.key.equals(key)) {
        return rate;
      }
    }
    throw new IllegalArgumentException(
        "\""
            + key
            + "\" is no rate: give rbps, wbps (bytes a second), riops or wiops (operations)");
  }
}
