package dev.holdfast.oci;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * One device of {@code linux.resources.rdma}.
 *
 * @param device such as {@code mlx5_1}
 * @param hcaHandles most handles open
 * @param hcaObjects most objects made
 */
public record OciRdma(String device, OptionalLong hcaHandles, OptionalLong hcaObjects) {
  private static final String PATH = "linux.resources.rdma";
  private static final long MOST = (1L << 32) - 1;

  static List<OciRdma> read(Node rdma) throws HoldfastException {
    List<OciRdma> devices = new ArrayList<>();
    for (Map.Entry<String, Node> device : rdma.members().entrySet()) {
      if (!device.getKey().matches("[^\\s/:,=]{1,63}")) {
        throw Wrong.at(device.getValue().path(), "that is no name of a device, such as mlx5_1");
      }
      devices.add(
          new OciRdma(
              device.getKey(),
              device.getValue().get("hcaHandles").integer(0L, MOST),
              device.getValue().get("hcaObjects").integer(0L, MOST)));
    }
    return List.copyOf(devices);
  }

  void addTo(List<Setting> settings) {
    List<String> limits = new ArrayList<>();
    hcaHandles.ifPresent(number -> limits.add("hca_handle=" + number));
    hcaObjects.ifPresent(number -> limits.add("hca_object=" + number));
    if (!limits.isEmpty()) {
      settings.add(
          Setting.of(PATH + "." + device, LimitKind.RDMA, device + ":" + String.join(",", limits)));
    }
  }
}
