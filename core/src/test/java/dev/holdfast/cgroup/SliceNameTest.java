package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SliceNameTest {
  @ParameterizedTest
  @CsvSource({
    "-.slice, /",
    "a.slice, /a.slice",
    "a-b.slice, /a.slice/a-b.slice",
    "user-1000.slice, /user.slice/user-1000.slice",
    "a-b-c.slice, /a.slice/a-b.slice/a-b-c.slice",
    "a.b-c:d@e.slice, /a.b.slice/a.b-c:d@e.slice",
    "foo\\x2dbar-baz.slice, /foo\\x2dbar.slice/foo\\x2dbar-baz.slice",
    "a.slice-b.slice, /a.slice.slice/a.slice-b.slice",
  })
  void partsAreNested(String name, String path) {
    assertThat(SliceName.path(name)).isEqualTo(path);
    assertThat(SliceName.isValid(name)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".slice",
        "a",
        "a.scope",
        "a.slice/",
        "/a.slice",
        "a/b.slice",
        "../a.slice",
        "..-a.slice",
        "a--b.slice",
        "-a.slice",
        "a-.slice",
        "--.slice",
        "a b.slice",
        "a\n.slice",
        "ä.slice",
        "a.slice\0",
      })
  void othersAreRefused(String name) {
    assertThat(SliceName.isValid(name)).isFalse();
    assertThatThrownBy(() -> SliceName.path(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is no name of a slice");
  }

  @Test
  void namesAreAsLongAsSystemdTakesThem() {
    assertThat(SliceName.isValid("a".repeat(249) + ".slice")).isTrue();
    assertThat(SliceName.isValid("a".repeat(250) + ".slice")).isFalse();
  }
}
