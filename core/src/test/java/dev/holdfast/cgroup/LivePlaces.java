package dev.holdfast.cgroup;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Where the tests of this package make their groups: in the subtree that is ours here. */
final class LivePlaces {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private LivePlaces() {}

  static List<Place> find() throws IOException {
    return delegation().places();
  }

  static Cgroup make() throws IOException {
    return delegation()
        .create("hf-test-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet());
  }

  static boolean isV1(Cgroup group, String controller) {
    return group.paths().containsKey(controller);
  }

  private static Delegation delegation() throws IOException {
    Delegation delegation = Delegation.probe(CgroupHost.read(), Optional.empty());
    delegation.acquire();
    return delegation;
  }
}
