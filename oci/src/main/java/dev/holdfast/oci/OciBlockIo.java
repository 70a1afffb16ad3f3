package dev.holdfast.oci;

import dev.holdfast.cgroup.DeviceRule;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * {@code linux.resources.blockIO}. Weights are 10 to 1000; 0 is as good as absent.
 *
 * @param weight for devices that have none of their own
 * @param leafWeight against nested groups, which kernels since Linux 5.0 do not have
 * @param weightDevice weights of single devices
 * @param throttleReadBps most bytes read in a second, by device; a rate of 0 is no limit
 * @param throttleWriteBps most bytes written in a second
 * @param throttleReadIops most reads in a second
 * @param throttleWriteIops most writes in a second
 */
public record OciBlockIo(
    OptionalInt weight,
    OptionalInt leafWeight,
    List<Weight> weightDevice,
    List<Rate> throttleReadBps,
    List<Rate> throttleWriteBps,
    List<Rate> throttleReadIops,
    List<Rate> throttleWriteIops) {
  private static final String PATH = "linux.resources.blockIO";
  private static final int LEAST_WEIGHT = 10;
  private static final int MOST_WEIGHT = 1000;

  /** The weights of one device. */
  public record Weight(int major, int minor, OptionalInt weight, OptionalInt leafWeight) {}

  /** Bytes or operations a second, of one device. */
  public record Rate(int major, int minor, long rate) {}

  public OciBlockIo {
    weightDevice = List.copyOf(weightDevice);
    throttleReadBps = List.copyOf(throttleReadBps);
    throttleWriteBps = List.copyOf(throttleWriteBps);
    throttleReadIops = List.copyOf(throttleReadIops);
    throttleWriteIops = List.copyOf(throttleWriteIops);
  }

  static OciBlockIo read(Node io) throws HoldfastException {
    List<Weight> weights = new ArrayList<>();
    for (Node device : io.get("weightDevice").items()) {
      weights.add(
          new Weight(
              major(device),
              minor(device),
              weight(device.get("weight")),
              weight(device.get("leafWeight"))));
    }
    return new OciBlockIo(
        weight(io.get("weight")),
        weight(io.get("leafWeight")),
        weights,
        rates(io.get("throttleReadBpsDevice")),
        rates(io.get("throttleWriteBpsDevice")),
        rates(io.get("throttleReadIOPSDevice")),
        rates(io.get("throttleWriteIOPSDevice")));
  }

  private static OptionalInt weight(Node node) throws HoldfastException {
    OptionalInt weight = node.integer(0, MOST_WEIGHT);
    if (weight.orElse(0) != 0 && weight.getAsInt() < LEAST_WEIGHT) {
      throw node.expected("an integer from 10 to 1000, or 0 for none");
    }
    return weight;
  }

  private static List<Rate> rates(Node devices) throws HoldfastException {
    List<Rate> rates = new ArrayList<>();
    for (Node device : devices.items()) {
      rates.add(
          new Rate(
              major(device),
              minor(device),
              device.get("rate").required().integer(0L, Long.MAX_VALUE).orElseThrow()));
    }
    return rates;
  }

  private static int major(Node device) throws HoldfastException {
    return device.get("major").required().integer(0, DeviceRule.GREATEST_MAJOR).orElseThrow();
  }

  private static int minor(Node device) throws HoldfastException {
    return device.get("minor").required().integer(0, DeviceRule.GREATEST_MINOR).orElseThrow();
  }

  void addTo(List<Setting> settings) {
    if (weight.orElse(0) != 0) {
      int number = weight.getAsInt();
      settings.add(
          new Setting(
              PATH + ".weight",
              LimitKind.IO_WEIGHT,
              number + " (blkio)",
              builder -> builder.blkioWeight(number)));
    }
    for (int i = 0; i < weightDevice.size(); i++) {
      Weight one = weightDevice.get(i);
      if (one.weight.orElse(0) != 0) {
        String device = device(one.major, one.minor);
        int number = one.weight.getAsInt();
        settings.add(
            new Setting(
                PATH + ".weightDevice[" + i + "].weight",
                LimitKind.IO_WEIGHT,
                device + "=" + number + " (blkio)",
                builder -> builder.blkioWeight(device, number)));
      }
    }
    leafWeights(settings);
    throttles(settings);
  }

  /** Where the kernel has no such file the library says so. */
  private void leafWeights(List<Setting> settings) {
    if (leafWeight.orElse(0) != 0) {
      settings.add(
          Setting.of(
              PATH + ".leafWeight", LimitKind.SET, "blkio.leaf_weight=" + leafWeight.getAsInt()));
    }
    StringBuilder lines = new StringBuilder();
    String first = "";
    for (int i = 0; i < weightDevice.size(); i++) {
      Weight device = weightDevice.get(i);
      if (device.leafWeight.orElse(0) != 0) {
        first = lines.isEmpty() ? PATH + ".weightDevice[" + i + "].leafWeight" : first;
        lines
            .append(lines.isEmpty() ? "" : "\n")
            .append(device(device.major, device.minor))
            .append(' ')
            .append(device.leafWeight.getAsInt());
      }
    }
    if (!lines.isEmpty()) {
      settings.add(Setting.of(first, LimitKind.SET, "blkio.leaf_weight_device=" + lines));
    }
  }

  /** All rates of one device are one limit; of two of a kind the last counts. */
  private void throttles(List<Setting> settings) {
    Map<String, Map<String, String>> rates = new LinkedHashMap<>();
    Map<String, String> paths = new LinkedHashMap<>();
    rates(rates, paths, throttleReadBps, "rbps", ".throttleReadBpsDevice");
    rates(rates, paths, throttleWriteBps, "wbps", ".throttleWriteBpsDevice");
    rates(rates, paths, throttleReadIops, "riops", ".throttleReadIOPSDevice");
    rates(rates, paths, throttleWriteIops, "wiops", ".throttleWriteIOPSDevice");
    for (Map.Entry<String, Map<String, String>> device : rates.entrySet()) {
      List<String> words = new ArrayList<>();
      device.getValue().forEach((key, rate) -> words.add(key + "=" + rate));
      settings.add(
          Setting.of(
              paths.getOrDefault(device.getKey(), PATH),
              LimitKind.IO_MAX,
              device.getKey() + ":" + String.join(",", words)));
    }
  }

  private static void rates(
      Map<String, Map<String, String>> rates,
      Map<String, String> paths,
      List<Rate> list,
      String key,
      String name) {
    for (int i = 0; i < list.size(); i++) {
      Rate rate = list.get(i);
      String device = device(rate.major, rate.minor);
      rates
          .computeIfAbsent(device, first -> new LinkedHashMap<>())
          .put(key, rate.rate == 0 ? "max" : Long.toString(rate.rate));
      paths.putIfAbsent(device, PATH + name + "[" + i + "]");
    }
  }

  private static String device(int major, int minor) {
    return major + ":" + minor;
  }
}
