package dev.holdfast.cgroup;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** How limits of which there are several, one for each device or size, are written. */
final class KeyedSyntax {
  private static final String NAME = "[^\\s/:,=]{1,63}";

  /** The kernel keeps these in 31 bits, and the greatest stands for no limit. */
  private static final long MOST_RDMA = Integer.MAX_VALUE;

  private static final long MOST_WEIGHT = 10_000;

  private KeyedSyntax() {}

  /** {@code WEIGHT}, or {@code DEVICE=WEIGHT}. */
  static Limits.Request ioWeight(String text) {
    int equals = text.lastIndexOf('=');
    String device = equals < 0 ? "" : BlockDevice.number(text.substring(0, equals));
    LimitValue weight = LimitText.count(text.substring(equals + 1), 1, MOST_WEIGHT);
    return new Limits.Request(LimitKind.IO_WEIGHT, device, weight, Optional.of(text));
  }

  /** {@code DEVICE:rbps=SIZE,wbps=SIZE,riops=N,wiops=N}, at least one of these. */
  static Limits.Request ioMax(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0 || text.indexOf('=', colon) < 0) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not DEVICE:RATE=N, such as /dev/sda:wbps=1M,riops=100");
    }
    Map<String, LimitValue> values = new LinkedHashMap<>();
    for (String pair : text.substring(colon + 1).split(",", -1)) {
      int equals = pair.indexOf('=');
      IoRate rate = IoRate.of(equals < 0 ? pair : pair.substring(0, equals));
      put(values, rate.key(), rate.parse(pair.substring(equals + 1)), text);
    }
    return keyed(LimitKind.IO_MAX, BlockDevice.number(text.substring(0, colon)), values, text);
  }

  /** {@code DEVICE=TIME}, or {@code DEVICE=max} for none. */
  static Limits.Request ioLatency(String text) {
    int equals = separator(text, "DEVICE=TIME, such as /dev/sda=10ms");
    String time = text.substring(equals + 1);
    // K: a target of 0 is none.
    LimitValue target =
        LimitText.isUnlimited(time) ? LimitValue.UNLIMITED : LimitSyntax.micros(time);
    return keyed(
        LimitKind.IO_LATENCY,
        BlockDevice.number(text.substring(0, equals)),
        Map.of("target", target),
        text);
  }

  /** {@code SIZE=LIMIT}, the size of a page as {@code 2M} or, as the kernel names it, 2MB. */
  static Limits.Request hugetlb(String text) {
    int equals = separator(text, "SIZE=LIMIT, such as 2M=64M");
    return hugetlb(text.substring(0, equals), LimitText.size(text.substring(equals + 1)), text);
  }

  static Limits.Request hugetlb(String pageSize, LimitValue limit, String text) {
    String size =
        pageSize.matches("[0-9]+[KMGkmg][Bb]")
            ? pageSize.substring(0, pageSize.length() - 1)
            : pageSize;
    if (!(LimitText.size(size) instanceof LimitValue.Count(long bytes)) || bytes % 1024 != 0) {
      throw new IllegalArgumentException(
          "\"" + pageSize + "\" is no size of huge pages: give one such as 2M or 1G");
    }
    String name = HugePages.name(bytes / 1024);
    return new Limits.Request(LimitKind.HUGETLB, name, limit, Optional.of(text));
  }

  /** {@code DEVICE:hca_handle=N,hca_object=N}, at least one of these. */
  static Limits.Request rdma(String text) {
    int colon = text.indexOf(':');
    if (colon < 0 || !text.substring(0, colon).matches(NAME)) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not DEVICE:KEY=N, such as mlx5_0:hca_handle=2,hca_object=2000");
    }
    Map<String, LimitValue> values = new LinkedHashMap<>();
    for (String pair : text.substring(colon + 1).split(",", -1)) {
      int equals = pair.indexOf('=');
      String key = equals < 0 ? pair : pair.substring(0, equals);
      if (!key.equals("hca_handle") && !key.equals("hca_object")) {
        throw new IllegalArgumentException("\"" + key + "\" is neither hca_handle nor hca_object");
      }
      put(values, key, most(pair.substring(equals + 1)), text);
    }
    return keyed(LimitKind.RDMA, text.substring(0, colon), values, text);
  }

  private static LimitValue most(String text) {
    LimitValue value =
        LimitText.isUnlimited(text)
            ? LimitValue.UNLIMITED
            : LimitText.count(text, 0, Long.MAX_VALUE);
    return value instanceof LimitValue.Count(long count) && count >= MOST_RDMA
        ? LimitValue.UNLIMITED
        : value;
  }

  /** {@code RESOURCE=N}. */
  static Limits.Request misc(String text) {
    int equals = separator(text, "RESOURCE=N, such as sev=10");
    String resource = text.substring(0, equals);
    if (!resource.matches(NAME)) {
      throw new IllegalArgumentException("\"" + resource + "\" is no resource, such as sev");
    }
    String amount = text.substring(equals + 1);
    LimitValue value =
        LimitText.isUnlimited(amount)
            ? LimitValue.UNLIMITED
            : LimitText.count(amount, 0, Long.MAX_VALUE);
    return new Limits.Request(LimitKind.MISC, resource, value, Optional.of(text));
  }

  private static int separator(String text, String form) {
    int equals = text.lastIndexOf('=');
    if (equals < 1) {
      throw new IllegalArgumentException("\"" + text + "\" is not " + form);
    }
    return equals;
  }

  private static void put(
      Map<String, LimitValue> values, String key, LimitValue value, String text) {
    if (values.put(key, value) != null) {
      throw new IllegalArgumentException("\"" + text + "\" has " + key + " more than once");
    }
  }

  private static Limits.Request keyed(
      LimitKind kind, String key, Map<String, LimitValue> values, String text) {
    return new Limits.Request(kind, key, new LimitValue.Keyed(values), Optional.of(text));
  }
}
