package dev.holdfast.cgroup;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;

/** The sizes of huge pages that this kernel has, named as the controller's files are. */
final class HugePages {
  static final Path SIZES = Path.of("/sys/kernel/mm/hugepages");

  private static final String PREFIX = "hugepages-";
  private static final String SUFFIX = "kB";

  private HugePages() {}

  /** From directories such as {@code hugepages-2048kB}, the smallest first. */
  static List<String> sizes(Path directory) {
    TreeMap<Long, String> sizes = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, PREFIX + "*")) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (name.endsWith(SUFFIX)) {
          FlatKeyed.number(name.substring(PREFIX.length(), name.length() - SUFFIX.length()))
              .ifPresent(kilobytes -> sizes.put(kilobytes, name(kilobytes)));
        }
      }
    } catch (IOException none) {
      return List.of(); // a kernel without huge pages
    }
    return List.copyOf(sizes.values());
  }

  /** K: hugetlb_cgroup.c, mem_fmt. */
  static String name(long kilobytes) {
    if (kilobytes >= 1 << 20) {
      return (kilobytes >> 20) + "GB";
    }
    return kilobytes >= 1 << 10 ? (kilobytes >> 10) + "MB" : kilobytes + "KB";
  }
}
