package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CgroupsPathTest {
  @ParameterizedTest
  @CsvSource({
    "/job, false, job",
    "/a/b:c:d, false, a/b:c:d",
    "a//b/, false, a/b",
    "job, false, job",
    "user.slice:job:17, true, user.slice/job-17.scope",
    "a-b-c.slice:job:17, true, a.slice/a-b.slice/a-b-c.slice/job-17.scope",
    "-.slice:job:17, true, job-17.scope",
    ":job:17, true, system.slice/job-17.scope",
    "::17, true, system.slice/17.scope",
    "user.slice::17, true, user.slice/17.scope",
    "system.slice:ignored:a-b.slice, true, a.slice/a-b.slice"
  })
  void bothForms(String text, boolean systemd, String path) {
    CgroupsPath parsed = CgroupsPath.parse(text, true);
    assertThat(parsed.systemd()).isEqualTo(systemd);
    assertThat(String.join("/", parsed.components())).isEqualTo(path);
    assertThat(parsed.below(Path.of("/sys/fs/cgroup"))).isEqualTo(Path.of("/sys/fs/cgroup", path));
    assertThat(parsed.text()).isEqualTo(text);
  }

  @Test
  void withoutASliceItIsThatOfWhoeverAsks() {
    assertThat(CgroupsPath.parse(":job:17", false).components())
        .containsExactly("user.slice", "job-17.scope");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "//",
        "..",
        "/..",
        "/a/../b",
        "/a/..",
        ".",
        "a/./b",
        "a:b",
        "a:b:c:d",
        "user.slice:job:",
        "user:job:17",
        "a--b.slice:job:17",
        "-a.slice:job:17",
        "a-.slice:job:17",
        ".slice:job:17",
        "a b.slice:job:17",
        "..slice:job:17",
        "-.slice::-.slice",
        "/a\nb",
        "/a\u0000"
      })
  void whatLeadsNowhereOrOut(String text) {
    assertThatThrownBy(() -> CgroupsPath.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
