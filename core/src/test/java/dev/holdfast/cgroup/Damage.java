package dev.holdfast.cgroup;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Damaged texts, the same ones for the same seed ({@code -Dholdfast.seed}), which is printed. */
final class Damage {
  private static final String CHARACTERS = "/:.,- \\0127\n\tn=()*!+rw\0\377";

  /** Letters and digits that Java may take for those of ASCII, and the kernel does not. */
  private static final List<String> LOOKALIKES =
      List.of("ı", "\u212a", "ſ", "٣", "\uff13", "İ", "\u00a0");

  final Random random;
  private final long seed;

  Damage(Class<?> test) {
    seed = Long.getLong("holdfast.seed", System.nanoTime());
    System.out.println(test.getSimpleName() + ": -Dholdfast.seed=" + seed);
    random = new Random(seed);
  }

  /** What went wrong, and how it is seen again. */
  AssertionError error(int round, String text, Throwable wrong) {
    return new AssertionError("seed " + seed + ", round " + round + ":\n" + text, wrong);
  }

  <T> T any(List<T> choice) {
    return choice.get(random.nextInt(choice.size()));
  }

  /** One of them damaged, at times with something that looks like a letter or a digit. */
  String lookalike(List<String> texts) {
    String text = of(any(texts));
    if (random.nextInt(8) == 0) {
      int at = random.nextInt(text.length() + 1);
      text = text.substring(0, at) + any(LOOKALIKES) + text.substring(at);
    }
    return text;
  }

  /** What holds whatever the files of a group say. */
  @FunctionalInterface
  interface Check {
    void run() throws Exception;
  }

  /** So many rounds, each with other damage; everything is read in some and not in others. */
  void rounds(int count, Map<String, List<String>> texts, StrictFiles files, Check check)
      throws Exception {
    for (int round = 0; round < count; round++) {
      all(texts, files);
      try {
        check.run();
      } catch (RuntimeException | Error wrong) {
        throw error(round, files.toString(), wrong);
      }
    }
    files.everythingWasThereAndWasNot();
  }

  /** Puts each file: damaged, whole, with another one's text, or not at all. */
  private void all(Map<String, List<String>> texts, StrictFiles files) throws IOException {
    List<List<String>> others = List.copyOf(texts.values());
    for (Map.Entry<String, List<String>> file : texts.entrySet()) {
      files.put(
          file.getKey(),
          switch (random.nextInt(16)) {
            case 0, 1 -> null;
            case 2, 3, 4 -> any(file.getValue());
            case 5 -> lookalike(any(others));
            default -> lookalike(file.getValue());
          });
    }
  }

  String of(String text) {
    StringBuilder damaged = new StringBuilder(text);
    for (int times = 1 + random.nextInt(3); times > 0 && damaged.length() > 1; times--) {
      int at = random.nextInt(damaged.length());
      switch (random.nextInt(7)) {
        case 0 -> damaged.setCharAt(at, (char) (damaged.charAt(at) ^ (1 << random.nextInt(8))));
        case 1 -> damaged.setCharAt(at, CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        case 2 -> damaged.insert(at, CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        case 3 -> damaged.delete(at, Math.min(damaged.length(), at + 1 + random.nextInt(8)));
        case 4 -> damaged.setLength(at);
        case 5 -> damaged.insert(at, "99999999999999999999".substring(random.nextInt(19)));
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
