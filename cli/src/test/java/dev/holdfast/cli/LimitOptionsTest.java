package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.LimitKind;
import dev.holdfast.cgroup.Limits;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each option that limits asks for the limit of its name, and for what it says. */
class LimitOptionsTest {
  private static final Map<String, String> VALUES =
      Map.ofEntries(
          Map.entry("--memory", "64M"),
          Map.entry("--memory-high", "48M"),
          Map.entry("--memory-low", "16M"),
          Map.entry("--memory-min", "8M"),
          Map.entry("--swap", "32M"),
          Map.entry("--cpus", "1.5"),
          Map.entry("--cpu-weight", "300"),
          Map.entry("--cpu-burst", "20ms"),
          Map.entry("--cpuset-cpus", "0-1"),
          Map.entry("--cpuset-mems", "0"),
          Map.entry("--pids", "16"),
          Map.entry("--io-weight", "200"),
          Map.entry("--io-max", "8:0:rbps=1M"),
          Map.entry("--hugetlb", "2M=64M"),
          Map.entry("--device", "!c *:* rwm"),
          Map.entry("--set", "memory.swappiness=10"));

  /** Of which no limit of a group comes: the run keeps the one, and the job the other. */
  private static final List<String> OTHERS = List.of("--cpu-time", "--oom-group");

  static Stream<Arguments> options() {
    return VALUES.entrySet().stream()
        .map(option -> Arguments.of(option.getKey(), option.getValue()));
  }

  @ParameterizedTest
  @MethodSource("options")
  void asksForTheLimit(String option, String value) throws UsageException {
    Limits limits =
        new RunRequest(RunOptions.all().parse(new String[] {option, value, "true"}), false)
            .limits();

    assertThat(limits.requests())
        .filteredOn(request -> request.text().isPresent())
        .singleElement()
        .satisfies(request -> {
          assertThat(name(request.kind())).isEqualTo(option);
          assertThat(request.text()).hasValue(value);
        });
  }

  /** None of them is without a line above. */
  @Test
  void noneIsLeftOut() {
    List<String> kinds = Arrays.stream(LimitKind.values()).map(LimitOptionsTest::name).toList();
    List<String> limiting =
        RunOptions.all().options().stream()
            .map(Option::name)
            .filter(kinds::contains)
            .filter(option -> !OTHERS.contains(option))
            .toList();

    assertThat(VALUES.keySet()).containsExactlyInAnyOrderElementsOf(limiting);
  }

  private static String name(LimitKind kind) {
    return "--" + kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
