package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Damaged documents give what they say ({@link PlainReading}), or the declared exception. */
class OciFuzzTest {
  private static final int ROUNDS = 100_000;
  private static final String CHARACTERS = "{}[]:,\"\\ \n-0129.eEtfn\0\u00ff";

  /** A member's name, or as its group a value. */
  private static final Pattern SCALAR =
      Pattern.compile("\"[^\"]*\"\\s*:|(-?[0-9]+|true|false|\"[^\"]*\")");

  private static final String[] VALUES = {
    "0",
    "-1",
    "1",
    "-2",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "0.5",
    "-0",
    "null",
    "true",
    "\"\"",
    "\"max\"",
    "\"0-\"",
    "[]",
    "{}",
    "[[[]]]",
    "{\"limit\":{}}",
    "\"..\"",
    "\"a:b:c\"",
    "\"\\ud800\"",
    "4294967296",
    "65536"
  };

  @Test
  void damagedDocuments() {
    long seed = Long.getLong("holdfast.seed", System.nanoTime());
    System.out.println("OciFuzzTest: -Dholdfast.seed=" + seed);
    Random random = new Random(seed);
    String whole = Documents.full();
    List<int[]> scalars = scalars(whole);
    int read = 0;
    int meant = 0;
    int said = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String damaged =
          switch (random.nextInt(4)) {
            case 0 -> damage(whole, random);
            case 1 -> generated(random, 0);
            default -> otherValues(whole, scalars, random);
          };
      try {
        OciSpec spec = OciSpec.parse(damaged);
        read++;
        for (Setting setting : spec.resources().settings()) {
          check(setting);
        }
        Limits limits = spec.limits();
        meant++;
        said += new PlainReading(damaged).compare(limits);
      } catch (HoldfastException expected) {
        check(expected, seed, round);
      } catch (RuntimeException | Error wrong) {
        throw new AssertionError("seed " + seed + ", round " + round + ":\n" + damaged, wrong);
      }
    }
    System.out.println("OciFuzzTest: " + read + " read, " + meant + " with a meaning");
    // Some damage does no harm, most does: otherwise this test sees nothing.
    assertThat(read).isBetween(ROUNDS / 100, ROUNDS * 99 / 100);
    assertThat(meant).isBetween(ROUNDS / 100, read - 1);
    assertThat(said).isGreaterThan(meant);
  }

  @Test
  void anyBytes() {
    Random random = new Random(7);
    for (int round = 0; round < ROUNDS / 10; round++) {
      byte[] bytes = new byte[random.nextInt(64)];
      random.nextBytes(bytes);
      try {
        OciSpec.parse(new String(bytes, StandardCharsets.ISO_8859_1));
        throw new AssertionError("noise was read");
      } catch (HoldfastException expected) {
        check(expected, 7, round);
      }
    }
  }

  /** Nothing is ever written empty: that would mean 0 to the kernel. */
  private static void check(Setting setting) {
    String written = setting.text();
    if (written.isBlank()) {
      throw new AssertionError(setting.path());
    }
  }

  private static void check(HoldfastException expected, long seed, int round) {
    String message = expected.getMessage();
    if (message == null || expected.what().isBlank() || expected.why().isBlank()) {
      throw new AssertionError("seed " + seed + ", round " + round, expected);
    }
  }

  private static String damage(String text, Random random) {
    StringBuilder damaged = new StringBuilder(text);
    for (int times = 1 + random.nextInt(3); times > 0 && damaged.length() > 1; times--) {
      int at = random.nextInt(damaged.length());
      switch (random.nextInt(5)) {
        case 0 -> damaged.setCharAt(at, (char) (damaged.charAt(at) ^ (1 << random.nextInt(8))));
        case 1 -> damaged.setCharAt(at, CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        case 2 -> damaged.insert(at, CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        case 3 -> damaged.delete(at, Math.min(damaged.length(), at + 1 + random.nextInt(8)));
        default -> damaged.setLength(at);
      }
    }
    return damaged.toString();
  }

  /** Well-formed, but with one to three values exchanged. */
  private static String otherValues(String text, List<int[]> scalars, Random random) {
    StringBuilder changed = new StringBuilder(text);
    int before = scalars.size();
    for (int times = 1 + random.nextInt(3); times > 0 && before > 0; times--) {
      before = random.nextInt(before); // from behind, so that what is in front stays in its place
      int[] one = scalars.get(before);
      changed.replace(one[0], one[1], VALUES[random.nextInt(VALUES.length)]);
    }
    return changed.toString();
  }

  private static List<int[]> scalars(String text) {
    List<int[]> scalars = new ArrayList<>();
    Matcher matcher = SCALAR.matcher(text);
    while (matcher.find()) {
      if (matcher.group(1) != null) {
        scalars.add(new int[] {matcher.start(), matcher.end()});
      }
    }
    return scalars;
  }

  private static final String[] NAMES = {
    "ociVersion", "linux", "process", "resources", "memory", "limit", "swap", "cpu", "shares",
    "quota", "period", "pids", "blockIO", "weight", "weightDevice", "major", "minor", "devices",
    "allow", "access", "unified", "memory.high", "rlimits", "type", "soft", "hard", "network",
    "classID", "priorities", "name", "priority", "rdma", "hugepageLimits", "pageSize", "a b", ""
  };

  /** Any tree of members that we know, and values that we do not expect there. */
  private static String generated(Random random, int depth) {
    if (depth > 5 || (depth > 0 && random.nextInt(3) == 0)) {
      return VALUES[random.nextInt(VALUES.length)];
    }
    if (depth > 1 && random.nextInt(4) == 0) {
      return "[" + generated(random, depth + 1) + "," + generated(random, depth + 1) + "]";
    }
    StringBuilder object = new StringBuilder("{");
    if (depth == 0) {
      object.append("\"ociVersion\":\"1.0.2\",\"linux\":{\"resources\":");
      object.append(generated(random, 2)).append("},\"process\":");
      return object.append(generated(random, 2)).append('}').toString();
    }
    for (int i = random.nextInt(5); i >= 0; i--) {
      object
          .append('"')
          .append(NAMES[random.nextInt(NAMES.length)])
          .append("\":")
          .append(generated(random, depth + 1))
          .append(i == 0 ? "" : ",");
    }
    return object.append('}').toString();
  }
}
