package dev.holdfast.oci;

import dev.holdfast.cgroup.DeviceRule;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.Limits;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * {@code linux.resources}, as the document has it. Immutable and thread-safe.
 *
 * @param pids most tasks; below 0 without limit, 0 counts as 1
 * @param unified files of v2 and what is written to them, after everything else
 */
public record OciResources(
    List<DeviceRule> devices,
    OciMemory memory,
    OciCpu cpu,
    OptionalLong pids,
    OciBlockIo blockIo,
    List<OciHugepageLimit> hugepageLimits,
    OciNetwork network,
    List<OciRdma> rdma,
    Map<String, String> unified) {
  private static final String PATH = "linux.resources";

  public OciResources {
    devices = List.copyOf(devices);
    hugepageLimits = List.copyOf(hugepageLimits);
    rdma = List.copyOf(rdma);
    unified = Collections.unmodifiableMap(new LinkedHashMap<>(unified));
  }

  static OciResources read(Node resources) throws HoldfastException {
    Map<String, String> unified = new LinkedHashMap<>();
    for (Map.Entry<String, Node> file : resources.get("unified").members().entrySet()) {
      unified.put(file.getKey(), file.getValue().required().text().orElseThrow());
    }
    return new OciResources(
        OciDevices.read(resources.get("devices")),
        OciMemory.read(resources.get("memory")),
        OciCpu.read(resources.get("cpu")),
        resources.get("pids").get("limit").integer(Long.MIN_VALUE, Long.MAX_VALUE),
        OciBlockIo.read(resources.get("blockIO")),
        OciHugepageLimit.read(resources.get("hugepageLimits")),
        OciNetwork.read(resources.get("network")),
        OciRdma.read(resources.get("rdma")),
        unified);
  }

  /**
   * What is asked for, as limits of a job.
   *
   * @throws HoldfastException if a value has no meaning, alone or beside the others; begins with
   *     where it stands
   */
  public Limits limits() throws HoldfastException {
    Limits.Builder builder = Limits.builder();
    addTo(builder);
    return builder.build();
  }

  /** As {@link #limits}; what {@code builder} is told later takes the place of these. */
  public void addTo(Limits.Builder builder) throws HoldfastException {
    for (Setting setting : settings()) {
      setting.addTo(builder);
    }
  }

  List<Setting> settings() throws HoldfastException {
    List<Setting> settings = new ArrayList<>();
    OciDevices.addTo(settings, devices);
    memory.addTo(settings);
    cpu.addTo(settings);
    if (pids.isPresent()) {
      long tasks = pids.getAsLong();
      settings.add(
          Setting.of(
              PATH + ".pids.limit",
              LimitKind.PIDS,
              tasks < 0 ? "max" : Long.toString(Math.max(tasks, 1))));
    }
    blockIo.addTo(settings);
    for (int i = 0; i < hugepageLimits.size(); i++) {
      OciHugepageLimit limit = hugepageLimits.get(i);
      settings.add(
          new Setting(
              PATH + ".hugepageLimits[" + i + "]",
              LimitKind.HUGETLB,
              limit.pageSize() + "=" + limit.limit(),
              builder -> builder.hugetlb(limit.pageSize(), limit.limit())));
    }
    network.addTo(settings);
    for (OciRdma device : rdma) {
      device.addTo(settings);
    }
    for (Map.Entry<String, String> file : unified.entrySet()) {
      settings.add(
          Setting.of(
              PATH + ".unified[\"" + file.getKey() + "\"]",
              LimitKind.SET,
              file.getKey() + "=" + file.getValue()));
    }
    return settings;
  }

  /** What is asked for and has no effect, each with where it stands and why. */
  public List<String> ignored() {
    List<String> ignored = new ArrayList<>();
    memory.addIgnored(ignored);
    cpu.addIgnored(ignored);
    return ignored;
  }
}
