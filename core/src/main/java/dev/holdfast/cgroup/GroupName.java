package dev.holdfast.cgroup;

import java.util.Set;
import java.util.regex.Pattern;

/** Which names a group of ours may have. */
final class GroupName {
  private static final Pattern SAFE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,200}");

  /** What the kernel's interface files begin with, before a dot. */
  private static final Set<String> INTERFACES =
      Set.of(
          "cgroup",
          "memory",
          "cpu",
          "cpuacct",
          "cpuset",
          "pids",
          "io",
          "blkio",
          "hugetlb",
          "freezer",
          "devices",
          "net_cls",
          "net_prio",
          "perf_event",
          "rdma",
          "misc");

  private GroupName() {}

  static String check(String name) {
    if (!SAFE.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "\""
              + name
              + "\" is no name for a group: use letters, digits and _ . : @ -, beginning with a"
              + " letter, a digit or _, at most 201 characters");
    }
    int dot = name.indexOf('.');
    if (dot >= 0 && INTERFACES.contains(name.substring(0, dot))) {
      throw new IllegalArgumentException(
          "\"" + name + "\" is no name for a group: the kernel's own files are named like that");
    }
    return name;
  }
}
