package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * Devices on v2, which has no files for them: a program on the group decides. It works in every v2
 * group, whatever controllers are enabled.
 */
final class DevicesV2 implements Controller {
  private final Directory group;

  DevicesV2(Directory group) {
    this.group = group;
  }

  @Override
  public boolean serves(Set<String> controllers) {
    return controllers.contains(LimitKind.DEVICE.controller());
  }

  @Override
  public void apply(Limits limits, LimitRows rows) throws IOException {
    Optional<Limits.Request> request = limits.get(LimitKind.DEVICE);
    if (request.isPresent() && request.get().value() instanceof LimitValue.Devices(var policy)) {
      try {
        boolean replaced = set(policy);
        rows.rollback()
            .changed(
                GroupProgram.DEVICES.hook(),
                replaced ? null : () -> GroupProgram.DEVICES.remove(group));
        rows.enforced(request.get(), new LimitValue.Devices(policy), GroupProgram.DEVICES.hook());
      } catch (HoldfastException refused) {
        rows.refused(request.get(), refused.why(), refused.remedy(), refused.getCause());
      }
    }
  }

  /** In the place of a former policy, with no moment between the two; true if there was one. */
  boolean set(DevicePolicy policy) throws HoldfastException {
    return GroupProgram.DEVICES.put(group, DeviceProgram.of(policy));
  }
}
