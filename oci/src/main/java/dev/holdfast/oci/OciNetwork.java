package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * {@code linux.resources.network}.
 *
 * @param classId the class of packets; 0 is as good as absent
 * @param priorities by network interface
 */
public record OciNetwork(OptionalLong classId, List<Priority> priorities) {
  private static final String PATH = "linux.resources.network";
  private static final long MOST = (1L << 32) - 1;

  /** Of what goes out through one network interface. */
  public record Priority(String name, long priority) {}

  public OciNetwork {
    priorities = List.copyOf(priorities);
  }

  static OciNetwork read(Node network) throws HoldfastException {
    List<Priority> priorities = new ArrayList<>();
    for (Node each : network.get("priorities").items()) {
      priorities.add(
          new Priority(
              each.get("name").required().text().orElseThrow(),
              each.get("priority").required().integer(0L, MOST).orElseThrow()));
    }
    return new OciNetwork(network.get("classID").integer(0L, MOST), priorities);
  }

  void addTo(List<Setting> settings) {
    if (classId.orElse(0) != 0) {
      settings.add(
          Setting.of(PATH + ".classID", LimitKind.NET_CLASS, Long.toString(classId.getAsLong())));
    }
    for (int i = 0; i < priorities.size(); i++) {
      Priority one = priorities.get(i);
      settings.add(
          new Setting(
              PATH + ".priorities[" + i + "]",
              LimitKind.NET_PRIORITY,
              one.name + "=" + one.priority,
              builder -> builder.netPriority(one.name, one.priority)));
    }
  }
}
