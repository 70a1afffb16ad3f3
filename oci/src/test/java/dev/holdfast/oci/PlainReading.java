package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.LimitValue;
import dev.holdfast.cgroup.Limits;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a document says of some limits, read by the members' names out of another parser's tree. */
final class PlainReading {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final Map<String, String> RATES =
      Map.of(
          "throttleReadBpsDevice", "rbps",
          "throttleWriteBpsDevice", "wbps",
          "throttleReadIOPSDevice", "riops",
          "throttleWriteIOPSDevice", "wiops");

  /** The kernel keeps operations in 32 bits, of which the greatest number is no limit. */
  private static final long NO_OPERATIONS = 0xffff_ffffL;

  private final JsonNode resources;

  PlainReading(String document) {
    // Half of a character has no bytes of its own, whoever reads them.
    resources =
        MAPPER.readTree(document.getBytes(StandardCharsets.UTF_8)).path("linux").path("resources");
  }

  /** Holds them against {@code limits}; returns how many there are. */
  int compare(Limits limits) {
    check(limits, LimitKind.MEMORY, size(number("memory", "limit")));
    check(limits, LimitKind.MEMORY_LOW, size(number("memory", "reservation")));
    check(limits, LimitKind.SWAP, swap());
    check(limits, LimitKind.CPU_WEIGHT, shares());
    check(limits, LimitKind.CPUS, bandwidth());
    check(limits, LimitKind.PIDS, tasks());
    Map<String, Map<String, LimitValue>> found = new HashMap<>();
    for (Limits.Request request : limits.all(LimitKind.IO_MAX)) {
      found.put(request.key(), ((LimitValue.Keyed) request.value()).values());
    }
    assertThat(found).isEqualTo(rates());
    return limits.requests().size();
  }

  private static void check(Limits limits, LimitKind kind, Optional<LimitValue> said) {
    assertThat(limits.get(kind).map(Limits.Request::value)).as(kind.name()).isEqualTo(said);
  }

  private OptionalLong number(String object, String member) {
    return number(resources.path(object).path(member));
  }

  private static OptionalLong number(JsonNode node) {
    return node.isMissingNode() || node.isNull()
        ? OptionalLong.empty()
        : OptionalLong.of(node.bigIntegerValue().longValueExact());
  }

  private static Optional<LimitValue> size(OptionalLong bytes) {
    if (bytes.orElse(0) == 0) {
      return Optional.empty();
    }
    return Optional.of(
        bytes.getAsLong() == -1 ? LimitValue.UNLIMITED : LimitValue.count(bytes.getAsLong()));
  }

  /** Of what is for both together the memory is taken away. */
  private Optional<LimitValue> swap() {
    long memory = number("memory", "limit").orElse(0);
    long both = number("memory", "swap").orElse(0);
    if (both == -1 || (both == 0 && memory == -1)) {
      return Optional.of(LimitValue.UNLIMITED);
    }
    assertThat(both == 0 || (memory > 0 && both >= memory)).isTrue();
    return both == 0 ? Optional.empty() : Optional.of(LimitValue.count(both - memory));
  }

  private Optional<LimitValue> shares() {
    long shares = number("cpu", "shares").orElse(0);
    return shares == 0 || number("cpu", "idle").orElse(0) == 1
        ? Optional.empty()
        : Optional.of(new LimitValue.Shares(shares));
  }

  private Optional<LimitValue> bandwidth() {
    OptionalLong quota = number("cpu", "quota");
    long period = number("cpu", "period").orElse(0);
    if (quota.isEmpty()) {
      return period == 0
          ? Optional.empty()
          : Optional.of(new LimitValue.Bandwidth(LimitValue.Bandwidth.SAME_QUOTA, period));
    }
    return Optional.of(
        new LimitValue.Bandwidth(
            quota.getAsLong() <= 0 ? LimitValue.Bandwidth.NO_QUOTA : quota.getAsLong(),
            period == 0 ? 100_000 : period));
  }

  private Optional<LimitValue> tasks() {
    OptionalLong tasks = number("pids", "limit");
    if (tasks.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        tasks.getAsLong() < 0
            ? LimitValue.UNLIMITED
            : LimitValue.count(Math.max(1, tasks.getAsLong())));
  }

  /** By device, then by the kernel's name; of two the last one. */
  private Map<String, Map<String, LimitValue>> rates() {
    Map<String, Map<String, LimitValue>> rates = new HashMap<>();
    RATES.forEach((member, key) -> {
      for (JsonNode device : resources.path("blockIO").path(member)) {
        long rate = number(device.path("rate")).orElseThrow();
        rates
            .computeIfAbsent(
                number(device.path("major")).orElseThrow()
                    + ":"
                    + number(device.path("minor")).orElseThrow(),
                added -> new HashMap<>())
            .put(
                key,
                rate == 0 || (key.endsWith("iops") && rate >= NO_OPERATIONS)
                    ? LimitValue.UNLIMITED
                    : LimitValue.count(rate));
      }
    });
    return rates;
  }
}
