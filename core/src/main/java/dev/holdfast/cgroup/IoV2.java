package dev.holdfast.cgroup;

import dev.holdfast.linux.Directory;
import java.io.IOException;
import java.util.OptionalLong;

/** What went to and from block devices on v2; only where the io controller is enabled. */
final class IoV2 implements Controller {
  private final Directory group;

  IoV2(Directory group) {
    this.group = group;
  }

  @Override
  public void usage(Figures figures) throws IOException {
    String stat = figures.read(group, "io.stat");
    if (stat != null) {
      figures.readBytes = sum(stat, "rbytes=");
      figures.writeBytes = sum(stat, "wbytes=");
    }
  }

  /**
   * Nested keyed, a line for each device that was used:
   *
   * <pre>
   * MAJOR:MINOR rbytes=N wbytes=N rios=N wios=N dbytes=N dios=N
   * </pre>
   */
  private static OptionalLong sum(String stat, String key) {
    long sum = 0;
    for (String word : stat.split("\\s+", -1)) {
      if (word.startsWith(key)) {
        OptionalLong number = FlatKeyed.number(word.substring(key.length()));
        if (number.isEmpty() || sum + number.getAsLong() < sum) {
          return OptionalLong.empty();
        }
        sum += number.getAsLong();
      }
    }
    return OptionalLong.of(sum);
  }
}
