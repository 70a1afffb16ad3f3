package dev.holdfast.cgroup;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** What real machines show in {@code mountinfo} and {@code cgroup}. */
final class Machines {
  /** The two texts. */
  record Texts(String mounts, String groups) {
    CgroupHost host() throws HoldfastException {
      return CgroupHost.of(
          Path.of("/proc"), "mountinfo", mounts, "cgroup", groups, path -> Set.of("memory"));
    }
  }

  /** A desktop of systemd, in a terminal of a user's session. */
  static final Texts DESKTOP =
      new Texts(
          """
          23 29 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
          24 29 0:23 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
          29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
          31 23 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
          98 29 0:45 / /media/My\\040Disk\\134\\043 rw shared:50 master:3 - fuseblk /dev/sdb1 rw
          """,
          """
          0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-0a1b.scope
          """);

  /** Debian 10: v1 controllers, v2 for systemd alone. */
  static final Texts HYBRID =
      new Texts(
          """
          22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
          28 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
          29 22 0:25 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
          30 29 0:26 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:10 - cgroup2 cgroup2 rw,nsdelegate
          31 29 0:27 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,xattr,name=systemd
          34 29 0:30 / /sys/fs/cgroup/net_cls,net_prio rw,nosuid shared:15 - cgroup cgroup rw,net_cls,net_prio
          35 29 0:31 / /sys/fs/cgroup/memory rw,nosuid,nodev,noexec,relatime shared:16 - cgroup cgroup rw,memory
          36 29 0:32 / /sys/fs/cgroup/freezer rw,nosuid,nodev,noexec,relatime shared:17 - cgroup cgroup rw,freezer
          37 29 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:18 - cgroup cgroup rw,cpu,cpuacct
          38 29 0:34 / /sys/fs/cgroup/pids rw,nosuid,nodev,noexec,relatime shared:19 - cgroup cgroup rw,pids
          """,
          """
          6:net_cls,net_prio:/
          5:pids:/user.slice/user-0.slice/session-3.scope
          4:cpu,cpuacct:/
          3:freezer:/
          2:memory:/user.slice/user-0.slice/session-3.scope
          1:name=systemd:/user.slice/user-0.slice/session-3.scope
          0::/user.slice/user-0.slice/session-3.scope
          """);

  /** A machine of a build service: v1 controllers each alone, v2 beside them. */
  static final Texts BUILDER =
      new Texts(
          """
          31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
          32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
          33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
          35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
          37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
          39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
          40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
          41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
          """,
          """
          9:name=systemd:/
          8:pids:/
          6:freezer:/
          4:memory:/process_api/9903bea3363b4b4c04b480e9c71df891
          2:cpuacct:/
          1:cpu:/
          0::/
          """);

  /** v1 alone. */
  static final Texts LEGACY =
      new Texts(
          """
          25 20 0:22 / /sys/fs/cgroup rw - tmpfs cgroup rw,mode=755
          26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu
          27 25 0:24 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer,release_agent=/a\\054b
          28 25 0:25 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
          29 25 0:26 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
          """,
          """
          4:cpu,cpuacct:/
          3:freezer:/
          2:memory:/with:colons and blanks:x
          1:name=systemd:/user:x
          """);

  /** A container with a cgroup namespace of its own. */
  static final Texts CONTAINER =
      new Texts(
          """
          913 822 0:201 / / rw,relatime - overlay overlay rw,lowerdir=/a:/b,upperdir=/c
          917 913 0:205 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
          918 917 0:27 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate
          """,
          """
          0::/
          """);

  static final String ID = "/docker/3f1c0a9d2be1c5";

  /** A container in the host's cgroup namespace, with bind mounts of its own groups. */
  static final Texts BOUND =
      new Texts(
          """
          600 599 0:60 / / rw,relatime master:300 - overlay overlay rw
          605 600 0:63 / /sys ro,nosuid - sysfs sysfs ro
          606 605 0:64 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755
          607 606 0:25 /docker/3f1c0a9d2be1c5 /sys/fs/cgroup/systemd ro master:11 - cgroup cgroup rw,name=systemd
          608 606 0:30 /docker/3f1c0a9d2be1c5 /sys/fs/cgroup/memory ro master:16 - cgroup cgroup rw,memory
          609 606 0:31 /docker/3f1c0a9d2be1c5 /sys/fs/cgroup/freezer ro master:17 - cgroup cgroup rw,freezer
          610 600 0:30 / /host/memory rw master:16 - cgroup cgroup rw,memory
          611 600 0:31 /docker/other /other rw master:16 - cgroup cgroup rw,freezer
          """,
          """
          3:freezer:/docker/3f1c0a9d2be1c5
          2:memory:/docker/3f1c0a9d2be1c5/inner
          1:name=systemd:/docker/3f1c0a9d2be1c5
          """);

  /** After unshare -C without a new mount, having been moved out of the namespace. */
  static final Texts OUTSIDE =
      new Texts(
          """
          31 23 0:27 /../.. /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw
          32 31 0:30 /.. /memory rw,relatime - cgroup cgroup rw,memory
          """,
          """
          2:memory:/
          0::/../../elsewhere
          """);

  private Machines() {}

  static Map<String, Texts> all() {
    Map<String, Texts> all = new LinkedHashMap<>();
    all.put("desktop", DESKTOP);
    all.put("hybrid", HYBRID);
    all.put("builder", BUILDER);
    all.put("legacy", LEGACY);
    all.put("container", CONTAINER);
    all.put("bound", BOUND);
    all.put("outside", OUTSIDE);
    return all;
  }
}
