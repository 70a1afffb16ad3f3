package dev.holdfast.oci;

import dev.holdfast.ResourceLimit;
import dev.holdfast.ResourceLimit.Resource;
import dev.holdfast.cgroup.HoldfastException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** {@code process.rlimits}. */
final class OciRlimits {
  private static final String PREFIX = "RLIMIT_";

  /** RLIM_INFINITY as an unsigned number of 64 bits. */
  private static final BigInteger INFINITY = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

  private OciRlimits() {}

  static List<ResourceLimit> read(Node rlimits) throws HoldfastException {
    List<ResourceLimit> limits = new ArrayList<>();
    Set<Resource> seen = EnumSet.noneOf(Resource.class);
    for (Node each : rlimits.items()) {
      Node type = each.get("type").required();
      Resource resource = resource(type);
      if (!seen.add(resource)) {
        throw Wrong.at(type.path(), type + " is given more than once");
      }
      try {
        limits.add(new ResourceLimit(resource, value(each.get("soft")), value(each.get("hard"))));
      } catch (IllegalArgumentException refused) {
        throw Wrong.at(each.path(), String.valueOf(refused.getMessage()), refused);
      }
    }
    return limits;
  }

  private static Resource resource(Node type) throws HoldfastException {
    String name = type.text().orElseThrow();
    for (Resource resource : Resource.values()) {
      if (name.equals(PREFIX + resource)) {
        return resource;
      }
    }
    throw type.expected("a resource such as \"RLIMIT_NOFILE\"");
  }

  private static long value(Node node) throws HoldfastException {
    return INFINITY.equals(node.required().integer().orElseThrow())
        ? ResourceLimit.INFINITY
        : node.integer(0L, Long.MAX_VALUE).orElseThrow();
  }
}
