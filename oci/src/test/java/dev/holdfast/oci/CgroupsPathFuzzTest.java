package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever text: it names a directory below where it begins, or is refused. */
class CgroupsPathFuzzTest {
  private static final int ROUNDS = 50_000;
  private static final Path TOP = Path.of("/sys/fs/cgroup");
  private static final List<String> WHOLE =
      List.of("/a/b:c/d", "job", "user.slice:job:17", "a-b.slice::x", ":p:a-b.slice", "/../a/./b");

  /** Without letters beyond ASCII: in the POSIX locale Java has no paths of them. */
  private static final String CHARACTERS = "/:.-a\0\n\t \u0085\ud800\udc80\\*";

  @Test
  void damagedPaths() {
    long seed = Long.getLong("holdfast.seed", System.nanoTime());
    System.out.println("CgroupsPathFuzzTest: -Dholdfast.seed=" + seed);
    Random random = new Random(seed);
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String text = damage(WHOLE.get(random.nextInt(WHOLE.size())), random);
      try {
        CgroupsPath path;
        try {
          path = CgroupsPath.parse(text);
        } catch (IllegalArgumentException refused) {
          assertThat(refused.getMessage()).isNotBlank();
          continue;
        }
        read++;
        check(text, path);
      } catch (RuntimeException | Error wrong) {
        throw new AssertionError("seed " + seed + ", round " + round + ": " + text, wrong);
      }
    }
    assertThat(read).isBetween(ROUNDS / 100, ROUNDS * 99 / 100);
  }

  private static void check(String text, CgroupsPath path) {
    Path directory = path.below(TOP);
    assertThat(directory.normalize()).isEqualTo(directory);
    assertThat(directory.startsWith(TOP)).isTrue();
    assertThat(directory.getNameCount()).isEqualTo(TOP.getNameCount() + path.components().size());
    for (String name : path.components()) {
      assertThat(name.getBytes(StandardCharsets.UTF_8)).hasSizeBetween(1, 255);
      assertThat(name).doesNotContain("/", "\0", "\n");
    }
    assertThat(path.text()).isEqualTo(text);
    if (!path.systemd()) {
      assertThat(CgroupsPath.parse("/" + String.join("/", path.components())).components())
          .isEqualTo(path.components());
    } else {
      assertThat(path.components().getLast()).matches(".*\\.(slice|scope)");
    }
  }

  private static String damage(String text, Random random) {
    StringBuilder damaged = new StringBuilder(text);
    for (int times = random.nextInt(4); times > 0 && !damaged.isEmpty(); times--) {
      int at = random.nextInt(damaged.length());
      char one = CHARACTERS.charAt(random.nextInt(CHARACTERS.length()));
      switch (random.nextInt(5)) {
        case 0 -> damaged.setCharAt(at, one);
        case 1 -> damaged.insert(at, one);
        case 2 -> damaged.deleteCharAt(at);
        case 3 -> damaged.insert(at, String.valueOf(one).repeat(random.nextInt(300)));
        default -> damaged.setLength(at);
      }
    }
    return damaged.toString();
  }
}
