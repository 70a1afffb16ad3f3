package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RawTest {
  @TempDir Path temp;

  @Test
  void eachLineIsAWriteOfItsOwn() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp).with("cgroup.controllers", "cpu io\n").files("io.max")) {
      Limits limits = Limits.builder().raw("io.max=8:0 rbps=4096\n8:16 rbps=1\n\n").build();
      List<AppliedLimit> rows =
          FakeGroup.apply(new Raw(List.of(group.branch)), limits, /* bestEffort= */ false);
      assertThat(rows).singleElement().matches(AppliedLimit::isEnforced);
      // The second write went over the first, from the beginning of the file.
      assertThat(group.read("io.max")).isEqualTo("8:16 rbps=1" + "96");
    }
  }
}
