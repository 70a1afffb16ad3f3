package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both have the same files on v1 and v2; no test kernel has such devices. */
class RdmaAndMiscTest {
  @TempDir Path temp;

  @Test
  void handlesAndObjectsOfADevice() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).files("rdma.max")) {
      Limits limits =
          Limits.builder().rdma("mlx5_0", "hca_handle=2,hca_object=99999999999").build();
      AppliedLimit row = FakeGroup.apply(new Rdma(group.directory), limits, false).getFirst();
      assertThat(group.read("rdma.max")).isEqualTo("mlx5_0 hca_handle=2 hca_object=max");
      assertThat(row.effective())
          .hasValue(new LimitValue.Text("mlx5_0 hca_handle=2 hca_object=max"));
      assertThat(row.key()).isEqualTo("mlx5_0");
    }
  }

  @Test
  void anotherDevicesLineIsNone() throws Exception {
    try (FakeGroup group = FakeGroup.v2(temp).forgetful("rdma.max")) {
      Limits limits = Limits.builder().rdma("mlx5_0", "hca_object=0").build();
      assertThatThrownBy(() -> FakeGroup.apply(new Rdma(group.directory), limits, false))
          .hasMessageContaining("after hca_object=0 was set");
    }
  }

  @Test
  void amountsOfAResource() throws Exception {
    try (FakeGroup group =
        FakeGroup.v2(temp).files("misc.max").with("misc.events", "sev.max 2\nsev_es.max 0\n")) {
      Misc misc = new Misc(group.directory);
      List<AppliedLimit> rows =
          FakeGroup.apply(misc, Limits.builder().misc("sev", 10).build(), false);
      assertThat(group.read("misc.max")).isEqualTo("sev 10");
      assertThat(rows.getFirst().effective()).hasValue(LimitValue.count(10));
      assertThat(FakeGroup.usage(misc).evidence(rows.getFirst()))
          .isEqualTo(AppliedLimit.Evidence.TRIPPED);
    }
  }
}
