package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HugetlbTest {
  private static final List<HugePages.Size> SIZES =
      List.of(new HugePages.Size("2MB", 2 << 20), new HugePages.Size("1GB", 1 << 30));

  @TempDir Path temp;

  private static AppliedLimit apply(FakeGroup group, boolean unified, Limits limits)
      throws Exception {
    return FakeGroup.apply(new Hugetlb(group.directory, unified, SIZES), limits, false).getFirst();
  }

  @ParameterizedTest
  @CsvSource({
    "2M=64M, 67108864, 67108864",
    "2MB=5M, 4194304, 4194304",
    "2048K=1M, 0, 0",
    "2M=max, max, max",
    "2M=9223372036854775807, max, max"
  })
  void bothFilesOfV2(String text, String written, String effective) throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("hugetlb.2MB.max", "hugetlb.2MB.rsvd.max")) {
      AppliedLimit row = apply(group, true, Limits.builder().set(LimitKind.HUGETLB, text).build());
      assertThat(group.read("hugetlb.2MB.max")).isEqualTo(written);
      assertThat(group.read("hugetlb.2MB.rsvd.max")).isEqualTo(written);
      assertThat(row.effective().orElseThrow()).hasToString(effective);
      assertThat(row.by()).hasValue("hugetlb.2MB.max");
      assertThat(row.key()).isEqualTo("2MB");
    }
  }

  @ParameterizedTest
  @CsvSource({"1G=3G, 3221225472", "1GB=max, -1"})
  void v1(String text, String written) throws Exception {
    String file = "hugetlb.1GB.limit_in_bytes";
    try (FakeGroup group = FakeGroup.v1(temp, "hugetlb").files(file)) {
      Limits limits = Limits.builder().set(LimitKind.HUGETLB, text).build();
      if (written.equals("-1")) {
        // The kernel shows a number for none, which a file does not.
        assertThatThrownBy(() -> apply(group, false, limits)).hasMessageContaining("reads \"-1\"");
      } else {
        assertThat(apply(group, false, limits).by()).hasValue(file);
      }
      assertThat(group.read(file)).isEqualTo(written);
    }
  }

  @Test
  void theReservedPagesAreHeldToo() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp).files("hugetlb.2MB.max").forgetful("hugetlb.2MB.rsvd.max")) {
      assertThatThrownBy(() -> apply(group, true, Limits.builder().hugetlb("2M", "64M").build()))
          .hasMessageContaining("hugetlb.2MB.rsvd.max reads \"\" after 67108864 was set");
      assertThat(group.read("hugetlb.2MB.max")).isEmpty();
    }
  }

  @Test
  void aSizeThatThereIsNot() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("hugetlb.2MB.max")) {
      assertThatThrownBy(() -> apply(group, true, Limits.builder().hugetlb("64K", "64M").build()))
          .hasMessageContaining(
              "this kernel has no huge pages of 64KB (give one of its sizes: 2MB, 1GB)");
    }
  }

  @Test
  void howOftenALimitWasReached() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp)
            .with("hugetlb.2MB.max", "")
            .with("hugetlb.2MB.events", "max 3\n")
            .with("hugetlb.1GB.events", "max 0\n")) {
      Hugetlb hugetlb = new Hugetlb(group.directory, true, SIZES);
      Usage usage = FakeGroup.usage(hugetlb);
      assertThat(usage.trips().hugetlb()).isEqualTo(Map.of("2MB", 3L, "1GB", 0L));
      AppliedLimit row = apply(group, true, Limits.builder().hugetlb("2M", 0).build());
      assertThat(usage.evidence(row)).isEqualTo(AppliedLimit.Evidence.TRIPPED);
      assertThat(Usage.NONE.evidence(row)).isEqualTo(AppliedLimit.Evidence.UNKNOWN);
    }
  }

  @Test
  void v1CountsFailures() throws Exception {
    try (FakeGroup group =
        FakeGroup.v1(temp, "hugetlb")
            .with("hugetlb.2MB.failcnt", "1\n")
            .with("hugetlb.2MB.rsvd.failcnt", "2\n")) {
      assertThat(FakeGroup.usage(new Hugetlb(group.directory, false, SIZES)).trips().hugetlb())
          .isEqualTo(Map.of("2MB", 3L));
    }
  }
}
