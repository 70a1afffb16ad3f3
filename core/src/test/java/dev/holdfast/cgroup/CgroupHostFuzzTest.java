package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Damaged texts give an error or places that are right, nothing else. */
class CgroupHostFuzzTest {
  private static final int ROUNDS = 100_000;
  private static final String CHARACTERS = "/:.,- \\0127\n\tn=()\0\377";

  @Test
  void damagedTexts() {
    long seed = Long.getLong("holdfast.seed", System.nanoTime());
    System.out.println("CgroupHostFuzzTest: -Dholdfast.seed=" + seed);
    Random random = new Random(seed);
    List<Machines.Texts> texts = new ArrayList<>(Machines.all().values());
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Machines.Texts whole = texts.get(random.nextInt(texts.size()));
      int which = random.nextInt(3);
      Machines.Texts damaged =
          new Machines.Texts(
              which == 0 ? whole.mounts() : damage(whole.mounts(), random),
              which == 1 ? whole.groups() : damage(whole.groups(), random));
      try {
        CgroupHost host = damaged.host();
        read++;
        for (Hierarchy hierarchy : host.hierarchies()) {
          if (hierarchy.own().isPresent()) {
            Path own = hierarchy.own().get();
            if (!own.isAbsolute()
                || !own.startsWith(hierarchy.mount())
                || !own.normalize().equals(own)
                || !hierarchy.pathOf(own).equals(hierarchy.ownPath())) {
              throw new AssertionError(hierarchy.toString());
            }
          }
        }
      } catch (HoldfastException expected) {
        String message = expected.getMessage();
        if (message == null
            || message.contains("\n")
            || !(message.contains("mountinfo") || message.contains("cgroup"))) {
          throw new AssertionError("seed " + seed + ", round " + round, expected);
        }
      } catch (RuntimeException | Error wrong) {
        throw new AssertionError(
            "seed " + seed + ", round " + round + ":\n" + damaged.mounts() + damaged.groups(),
            wrong);
      }
    }
    // Some damage does no harm, most does: otherwise this test sees nothing.
    assertThat(read).isBetween(ROUNDS / 100, ROUNDS * 99 / 100);
  }

  private static String damage(String text, Random random) {
    StringBuilder damaged = new StringBuilder(text);
    for (int times = 1 + random.nextInt(3); times > 0 && damaged.length() > 1; times--) {
      int at = random.nextInt(damaged.length());
      switch (random.nextInt(6)) {
        case 0 -> damaged.setCharAt(at, (char) (damaged.charAt(at) ^ (1 << random.nextInt(8))));
        case 1 -> damaged.setCharAt(at, CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        case 2 -> damaged.insert(at, CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        case 3 -> damaged.delete(at, Math.min(damaged.length(), at + 1 + random.nextInt(8)));
        case 4 -> damaged.setLength(at);
        default -> {
          List<String> lines = new ArrayList<>(Arrays.asList(damaged.toString().split("\n", -1)));
          Collections.shuffle(lines, random);
          damaged = new StringBuilder(String.join("\n", lines));
        }
      }
    }
    return damaged.toString();
  }
}
