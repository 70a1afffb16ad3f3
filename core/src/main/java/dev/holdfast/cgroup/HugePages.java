package dev.holdfast.cgroup;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** The sizes of huge pages that this kernel has, named as the controller's files are. */
final class HugePages {
  static final Path SIZES = Path.of("/sys/kernel/mm/hugepages");

  private static final String PREFIX = "hugepages-";
  private static final String SUFFIX = "kB";

  /** One of them, such as 2MB. */
  record Size(String name, long bytes) {}

  private HugePages() {}

  /** The names of those of this machine, the smallest first. */
  static List<String> names() {
    return sizes(SIZES).stream().map(Size::name).toList();
  }

  /** From directories such as {@code hugepages-2048kB}, the smallest first. */
  static List<Size> sizes(Path directory) {
    TreeSet<Long> sizes = new TreeSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, PREFIX + "*")) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (name.endsWith(SUFFIX)) {
          FlatKeyed.number(name.substring(PREFIX.length(), name.length() - SUFFIX.length()))
              .ifPresent(sizes::add);
        }
      }
    } catch (IOException none) {
      return List.of(); // a kernel without huge pages
    }
    List<Size> named = new ArrayList<>();
    for (long kilobytes : sizes) {
      named.add(new Size(name(kilobytes), kilobytes << 10));
    }
    return List.copyOf(named);
  }

  /** K: hugetlb_cgroup.c, mem_fmt. */
  static String name(long kilobytes) {
    if (kilobytes >= 1 << 20) {
      return (kilobytes >> 20) + "GB";
    }
    return kilobytes >= 1 << 10 ? (kilobytes >> 10) + "MB" : kilobytes + "KB";
  }
}
