package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import java.util.ArrayList;
import java.util.List;

/**
 * One of {@code linux.resources.hugepageLimits}.
 *
 * @param pageSize such as {@code 2MB}, as the kernel names it
 * @param limit in bytes; 0 is none at all
 */
public record OciHugepageLimit(String pageSize, long limit) {
  static List<OciHugepageLimit> read(Node limits) throws HoldfastException {
    List<OciHugepageLimit> read = new ArrayList<>();
    for (Node each : limits.items()) {
      Node size = each.get("pageSize").required();
      if (!size.text().orElseThrow().matches("[1-9][0-9]{0,5}[KMG]B")) {
        throw size.expected("a size of pages such as \"2MB\" or \"1GB\"");
      }
      read.add(
          new OciHugepageLimit(
              size.text().orElseThrow(),
              each.get("limit").required().integer(0L, Long.MAX_VALUE).orElseThrow()));
    }
    return List.copyOf(read);
  }
}
