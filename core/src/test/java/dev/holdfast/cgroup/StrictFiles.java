package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files of a group, and what they say by whole lines and words: read with regular expressions,
 * where the product goes from one separator to the next.
 */
final class StrictFiles {
  private static final Pattern NUMBER = Pattern.compile("0|[1-9][0-9]{0,18}");

  /**
   * What a text says of one number.
   *
   * @param where the file and what of it, for messages and to know what was seen
   * @param words all that could be the number, equal to it word for word if one of them is
   * @param lines how many lines are about it
   */
  record Said(String where, List<String> words, int lines) {
    /** The number; empty if it is none, or if there are several. */
    OptionalLong number(long unit) {
      return words.size() == 1 && lines == 1 && NUMBER.matcher(words.getFirst()).matches()
          ? fitting(new BigInteger(words.getFirst()), unit)
          : OptionalLong.empty();
    }

    private static OptionalLong fitting(BigInteger number, long unit) {
      return number.multiply(BigInteger.valueOf(unit)).bitLength() < Long.SIZE
          ? OptionalLong.of(number.longValueExact())
          : OptionalLong.empty();
    }

    /** By another name: of what has names of its own, such as devices, the name is left out. */
    Said as(String other) {
      return new Said(other, words, lines);
    }
  }

  private final Path group;
  private final Map<String, String> texts = new LinkedHashMap<>();
  private final Set<String> present = new TreeSet<>();
  private final Set<String> absent = new TreeSet<>();

  StrictFiles(Path group) {
    this.group = group;
  }

  /** Writes the file; null removes it. */
  void put(String file, String text) throws IOException {
    Path path = group.resolve(file);
    if (text == null) {
      Files.deleteIfExists(path);
      texts.remove(file);
    } else {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      Files.write(path, bytes);
      texts.put(file, new String(bytes, StandardCharsets.ISO_8859_1)); // as the library reads it
    }
  }

  boolean has(String file) {
    return texts.containsKey(file);
  }

  List<String> lines(String file) {
    return List.of(texts.getOrDefault(file, "").split("\n", -1));
  }

  /** The whole file is one number, or is none. */
  Said alone(String file) {
    String text = texts.get(file);
    return new Said(
        file,
        text == null ? List.of() : List.of(text.replaceFirst("\n\\z", "")),
        has(file) ? 1 : 0);
  }

  /** {@code KEY VALUE}, on a line of its own. */
  Said flat(String file, String key) {
    List<String> values = found(file, Pattern.quote(key) + " (.*)");
    return new Said(file + " " + key, values, values.size());
  }

  /** The keys of such lines. */
  Set<String> keys(String file) {
    return Set.copyOf(found(file, "([^ ]+) .*"));
  }

  /**
   * {@code FIRST … KEY=VALUE …}.
   *
   * @param first a regular expression for the first word
   */
  Said word(String file, String first, String key) {
    Pattern pair = Pattern.compile("(?<= )" + Pattern.quote(key) + "=([^ ]*)", Pattern.DOTALL);
    List<String> about = found(file, first + "( .*)");
    List<String> values =
        about.stream()
            .flatMap(line -> pair.matcher(line).results().map(match -> match.group(1)))
            .toList();
    return new Said(file + " " + key, values, about.size());
  }

  /** The keys of such words, by the first word's group. */
  Map<String, Set<String>> words(String file, String first) {
    Pattern line = Pattern.compile("(?:" + first + ")( .*)", Pattern.DOTALL);
    Pattern pair = Pattern.compile("(?<= )([^ =]+)=", Pattern.DOTALL);
    Map<String, Set<String>> words = new TreeMap<>();
    matching(file, line)
        .forEach(match ->
            words
                .computeIfAbsent(match.group(1), name -> new TreeSet<>())
                .addAll(
                    pair.matcher(match.group(2))
                        .results()
                        .map(key -> key.group(1))
                        .collect(Collectors.toSet())));
    return words;
  }

  /** The first group of every line that is wholly so. */
  List<String> found(String file, String regex) {
    return matching(file, Pattern.compile(regex, Pattern.DOTALL))
        .map(match -> match.group(1))
        .toList();
  }

  private Stream<MatchResult> matching(String file, Pattern pattern) {
    return lines(file).stream().map(pattern::matcher).filter(m -> m.matches()).map(m -> m);
  }

  /** A number that was read is there word for word; one that is there and alone was read. */
  void check(OptionalLong read, Said said) {
    check(read, said, 1);
  }

  /** As above, of a time that is counted in so many nanoseconds. */
  void check(Optional<Duration> read, Said said, long nanosEach) {
    check(
        read.map(time -> OptionalLong.of(time.toNanos())).orElse(OptionalLong.empty()),
        said,
        nanosEach);
  }

  void check(OptionalLong read, Said said, long unit) {
    (read.isPresent() ? present : absent).add(said.where());
    if (read.isPresent()) {
      assertThat(read.getAsLong() % unit).as(said.where()).isZero();
      assertThat(said.words()).as(said.where()).contains(Long.toString(read.getAsLong() / unit));
    } else {
      assertThat(said.number(unit)).as(said.where()).isEmpty();
    }
  }

  /** As {@link #check}, of a number that is the sum of several. */
  void checkSum(OptionalLong read, String where, Collection<Said> parts) {
    BigInteger sum = BigInteger.ZERO;
    boolean known = true;
    for (Said part : parts) {
      OptionalLong number = part.number(1);
      known &= number.isPresent();
      sum = sum.add(BigInteger.valueOf(number.orElse(0)));
    }
    known &= sum.bitLength() < Long.SIZE;
    (read.isPresent() ? present : absent).add(where);
    assertThat(read)
        .as(where)
        .isEqualTo(known ? OptionalLong.of(sum.longValueExact()) : OptionalLong.empty());
  }

  /** Otherwise the test has not seen what it is about. */
  void everythingWasThereAndWasNot() {
    assertThat(present).isNotEmpty();
    assertThat(absent).isEqualTo(present);
  }

  @Override
  public String toString() {
    StringBuilder all = new StringBuilder();
    texts.forEach((file, text) -> all.append("== ").append(file).append('\n').append(text));
    return all.toString();
  }
}
