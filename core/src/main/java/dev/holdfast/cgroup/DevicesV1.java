package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.SystemCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The devices controller of v1. {@code devices.list} does not show exceptions from "all allowed",
 * so the branch remembers what we set.
 *
 * <p>Thread-safe.
 */
final class DevicesV1 implements Controller {
  private static final String ALLOW = "devices.allow";
  private static final String DENY = "devices.deny";
  private static final String LIST = "devices.list";
  private static final String ALL = "a";

  private final Branch branch;
  private final Directory group;
  private volatile boolean written;

  DevicesV1(Branch branch) {
    this.branch = branch;
    this.group = branch.directory();
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
        DevicePolicy before = present();
        DevicePolicy effective;
        written = false;
        try {
          effective = set(policy);
        } finally {
          if (written) {
            rows.rollback().changed(LIST, before == null ? null : () -> set(before));
          }
        }
        rows.enforced(
            request.get(),
            new LimitValue.Devices(effective),
            effective.allowedByDefault() ? DENY : LIST);
      } catch (HoldfastException refused) {
        rows.refused(request.get(), refused.why(), refused.remedy(), refused.getCause());
      }
    }
  }

  /** Null if it is not known. */
  private @Nullable DevicePolicy present() throws IOException {
    DevicePolicy ours = branch.devices();
    return ours != null ? ours : DevicePolicy.parseList(group.read(LIST));
  }

  /**
   * Makes {@code policy} that of the group. On the way nothing is allowed that neither the former
   * policy nor this one allows, with one exception: to a default that allows there is no way but
   * through all that the group above allows, unless the former policy is ours and has that default.
   *
   * @return what the group has now, which is less if the group above has a list of devices
   */
  DevicePolicy set(DevicePolicy policy) throws HoldfastException {
    synchronized (branch) {
      return setAlone(policy);
    }
  }

  private DevicePolicy setAlone(DevicePolicy policy) throws HoldfastException {
    DevicePolicy before = branch.devices();
    branch.devices(null);
    try {
      DevicePolicy wanted = below(policy);
      if (wanted.allowedByDefault()) {
        allowAllBut(wanted, before);
      } else {
        denyAllBut(wanted);
      }
      check(wanted);
      branch.devices(wanted);
      return wanted;
    } catch (IOException failure) {
      throw Refusal.of("cannot set the devices of " + group.path(), failure);
    }
  }

  private DevicePolicy below(DevicePolicy policy) throws HoldfastException {
    Path above = group.path().getParent();
    Optional<String> list = above == null ? Optional.empty() : GroupFile.text(above.resolve(LIST));
    DevicePolicy limit = list.isEmpty() ? null : DevicePolicy.parseList(list.get());
    try {
      return limit == null ? policy : policy.below(limit);
    } catch (IllegalArgumentException hole) {
      throw new HoldfastException(
          "cannot set the devices of " + group.path(),
          "the group above has a list of devices, "
              + limit
              + ", and with that "
              + hole.getMessage(),
          "deny all devices and allow those that are needed",
          hole);
    }
  }

  private void allowAllBut(DevicePolicy wanted, @Nullable DevicePolicy before) throws IOException {
    List<DeviceRule> denied = List.of();
    if (before != null && before.allowedByDefault()) {
      denied = before.exceptions();
    } else {
      write(ALLOW, ALL);
    }
    writeAll(DENY, without(wanted.exceptions(), denied));
    writeAll(ALLOW, without(denied, wanted.exceptions()));
  }

  private void denyAllBut(DevicePolicy wanted) throws IOException {
    DevicePolicy now = DevicePolicy.parseList(group.read(LIST));
    List<DeviceRule> allowed = List.of();
    if (now == null || now.allowedByDefault()) {
      write(DENY, ALL);
    } else {
      allowed = now.exceptions();
    }
    writeAll(DENY, without(allowed, wanted.exceptions()));
    writeAll(ALLOW, without(wanted.exceptions(), allowed));
  }

  /** What {@code rules} have that those for the very same devices in {@code others} have not. */
  private static List<DeviceRule> without(List<DeviceRule> rules, List<DeviceRule> others) {
    List<DeviceRule> rest = new ArrayList<>();
    for (DeviceRule rule : rules) {
      int mask = rule.mask();
      for (DeviceRule other : others) {
        if (rule.type() == other.type()
            && rule.major().equals(other.major())
            && rule.minor().equals(other.minor())) {
          mask &= ~other.mask();
        }
      }
      if (mask != 0) {
        rest.add(DeviceRule.of(rule.allow(), rule.type(), rule.major(), rule.minor(), mask));
      }
    }
    return rest;
  }

  private void writeAll(String file, List<DeviceRule> rules) throws IOException {
    for (DeviceRule rule : rules) {
      write(file, rule.scope());
    }
  }

  private void write(String file, String text) throws IOException {
    int errno = group.tryWrite(file, text);
    if (errno == 0) {
      written = true;
      return;
    }
    SystemCallException cause =
        new SystemCallException("write", group.path().resolve(file).toString(), errno);
    String what = "cannot set the devices of " + group.path();
    if (errno == Errno.EPERM) {
      throw new HoldfastException(
          what,
          "the kernel refuses \"" + text + "\": " + cause.getMessage(),
          "run as root outside of a user namespace (CAP_SYS_ADMIN), and ask for no device that the"
              + " group above does not allow",
          cause);
    }
    if (errno == Errno.EINVAL && text.equals(ALL)) {
      throw new HoldfastException(
          what,
          "v1 changes the default for devices only while no group is nested in it: "
              + cause.getMessage(),
          "set it before groups are made inside, or remove them",
          cause);
    }
    throw Refusal.of(what, cause);
  }

  private void check(DevicePolicy wanted) throws IOException {
    String text = group.read(LIST);
    DevicePolicy found = DevicePolicy.parseList(text);
    boolean holds =
        found != null
            && found.allowedByDefault() == wanted.allowedByDefault()
            && (wanted.allowedByDefault()
                || Set.copyOf(found.exceptions()).equals(Set.copyOf(wanted.exceptions())));
    if (!holds) {
      throw new HoldfastException(
          "cannot set the devices of " + group.path(),
          LIST + " reads \"" + text.strip().replace('\n', ',') + "\" after " + wanted + " was set",
          "see whether somebody else sets limits on this group",
          null);
    }
  }
}
