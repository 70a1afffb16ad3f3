package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The hugetlb controller: bytes in huge pages, by size of page, in whole pages. Both what is in use
 * and what is reserved are limited: over the first a program dies of SIGBUS, over the second its
 * {@code mmap} fails with ENOMEM, which it can survive (K: hugetlb_cgroup.c).
 */
final class Hugetlb implements Controller {
  private final Directory group;
  private final boolean unified;
  private final List<HugePages.Size> sizes;

  /**
   * Of this group.
   *
   * @param sizes those that the kernel has
   */
  Hugetlb(Directory group, boolean unified, List<HugePages.Size> sizes) {
    this.group = group;
    this.unified = unified;
    this.sizes = sizes;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains("hugetlb");
  }

  @Override
  public boolean isPresent() {
    return sizes.isEmpty() || group.has(file(sizes.getFirst().name(), ""));
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    for (Limits.Request request : limits.all(LimitKind.HUGETLB)) {
      HugePages.Size size = size(request.key());
      if (size == null) {
        List<String> names = sizes.stream().map(HugePages.Size::name).toList();
        rows.refused(
            request,
            "this kernel has no huge pages of " + request.key(),
            names.isEmpty()
                ? "use a kernel that has huge pages"
                : "give one of its sizes: " + String.join(", ", names),
            null);
      } else {
        set(request, size, rows);
      }
    }
  }

  private HugePages.@Nullable Size size(String name) {
    for (HugePages.Size size : sizes) {
      if (size.name().equals(name)) {
        return size;
      }
    }
    return null;
  }

  private void set(Limits.Request request, HugePages.Size size, LimitRows rows) throws IOException {
    LimitValue wanted = whole(request.value(), size);
    String text = !unified && wanted.equals(LimitValue.UNLIMITED) ? "-1" : wanted.toString();
    String reserved = file(size.name(), "rsvd.");
    Directory.Exchange exchange = rows.exchange(group, reserved, text);
    if (exchange.errno() != Errno.ENOENT // before Linux 5.7
        && (exchange.errno() != 0 || !wanted.equals(value(exchange.text(), size)))) {
      rows.check(request, group, reserved, wanted, exchange, shown -> value(shown, size));
      return;
    }
    rows.set(request, group, file(size.name(), ""), wanted, text, shown -> value(shown, size));
  }

  /** The kernel rounds down to whole pages, and the greatest of such numbers is no limit. */
  private static LimitValue whole(LimitValue value, HugePages.Size size) {
    if (!(value instanceof LimitValue.Count(long bytes))) {
      return value;
    }
    return bytes > Long.MAX_VALUE - size.bytes()
        ? LimitValue.UNLIMITED
        : LimitValue.count(bytes - bytes % size.bytes());
  }

  private static @Nullable LimitValue value(String text, HugePages.Size size) {
    LimitValue shown = LimitRows.countOrMax(text);
    return shown == null ? null : whole(shown, size);
  }

  private String file(String size, String reserved) {
    return "hugetlb." + size + "." + reserved + (unified ? "max" : "limit_in_bytes");
  }

  @Override
  public void usage(Figures figures) throws IOException {
    Map<String, Long> trips = new TreeMap<>();
    for (HugePages.Size size : sizes) {
      String prefix = "hugetlb." + size.name() + ".";
      OptionalLong count =
          unified
              ? FlatKeyed.value(figures.read(group, prefix + "events"), "max")
              : Figures.sum(
                  FlatKeyed.number(figures.read(group, prefix + "failcnt")),
                  FlatKeyed.number(figures.read(group, prefix + "rsvd.failcnt")).orElse(0));
      count.ifPresent(number -> trips.put(size.name(), number));
    }
    figures.hugetlbTrips = trips;
  }
}
