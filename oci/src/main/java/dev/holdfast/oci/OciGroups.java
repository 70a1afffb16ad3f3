package dev.holdfast.oci;

import dev.holdfast.cgroup.Cgroup;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.cgroup.HoldfastException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Groups where {@code linux.cgroupsPath} wants them, below the subtree that is ours instead of
 * below the root: {@code /a/b} becomes {@code a/b} in it, and nothing leads out. The groups on the
 * way are made as they are needed, hold others only, and are removed by {@link #close}; a directory
 * that somebody else made there is left alone, and an error.
 *
 * {@snippet :
 * try (OciGroups groups = new OciGroups(Delegation.find());
 *     Cgroup group = groups.create(spec.cgroupsPath().orElseThrow())) {
 *   group.apply(spec.limits());
 *   group.attach(pid);
 * }
 * }
 *
 * <p>Thread-safe.
 */
public final class OciGroups implements AutoCloseable {
  private final Delegation delegation;

  /** By path, those above before those in them. */
  private final Map<String, Cgroup> holders = new LinkedHashMap<>();

  /** Of a subtree that was acquired. */
  public OciGroups(Delegation delegation) {
    this.delegation = delegation;
  }

  /**
   * Makes the group that {@code path} names, which is the caller's to close, before this.
   *
   * @throws HoldfastException if it is there already, cannot be made, or has a name that none of
   *     our groups has (see {@link Cgroup#create})
   */
  public synchronized Cgroup create(CgroupsPath path) throws HoldfastException {
    List<String> names = path.components();
    try {
      Cgroup above = null;
      StringBuilder way = new StringBuilder();
      for (String name : names.subList(0, names.size() - 1)) {
        way.append('/').append(name);
        Cgroup holder = holders.get(way.toString());
        if (holder == null) {
          holder = make(above, name, /* holds= */ true);
          holders.put(way.toString(), holder);
          // What the kernel refuses here is told by the limit that needs it.
          holder.enableControllers();
        }
        above = holder;
      }
      return make(above, names.getLast(), /* holds= */ false);
    } catch (IllegalArgumentException name) {
      throw new HoldfastException(
          "cannot make the group of the cgroupsPath \"" + path.text() + "\"",
          String.valueOf(name.getMessage()),
          "give another linux.cgroupsPath",
          name);
    }
  }

  private Cgroup make(@Nullable Cgroup above, String name, boolean holds) throws HoldfastException {
    if (above != null) {
      return above.create(name);
    }
    return holds ? delegation.createHolder(name) : delegation.create(name);
  }

  /** Ends what is still in the groups on the way, and removes them. Idempotent. */
  @Override
  public synchronized void close() throws HoldfastException {
    HoldfastException failure = null;
    for (Cgroup holder : List.copyOf(holders.values()).reversed()) {
      try {
        holder.close();
      } catch (HoldfastException left) {
        failure = left;
      }
    }
    holders.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
