package dev.holdfast.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.DevicePolicy;
import dev.holdfast.cgroup.DeviceRule;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OciDevicesTest {
  private static final Set<DeviceRule.Access> READ = Set.of(DeviceRule.Access.READ);

  @Test
  void aListThatDeniesByDefaultLeavesTheDefaultDevices() throws Exception {
    DevicePolicy policy = policy("{\"allow\":false,\"access\":\"rwm\"}");
    assertThat(policy.allowedByDefault()).isFalse();
    assertThat(reads(policy, 1, 3)).isTrue();
    assertThat(reads(policy, 136, 77)).isTrue();
    assertThat(reads(policy, 1, 1)).isFalse();
    assertThat(policy.allows(DeviceRule.Type.BLOCK, 1, 3, READ)).isFalse();
  }

  @Test
  void aListThatDeniesADefaultDeviceByNameMeansIt() throws Exception {
    DevicePolicy policy =
        policy("{\"allow\":false,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"}");
    assertThat(policy.allowedByDefault()).isTrue();
    assertThat(reads(policy, 1, 3)).isFalse();
    assertThat(reads(policy, 1, 5)).isTrue();
  }

  @Test
  void theLastRuleThatMatchesCounts() throws Exception {
    DevicePolicy policy =
        policy(
            "{\"allow\":false,\"type\":\"a\",\"major\":-1,\"minor\":-1,\"access\":\"rwm\"},"
                + "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":200,\"access\":\"rwm\"},"
                + "{\"allow\":false,\"type\":\"c\",\"major\":10,\"minor\":200,\"access\":\"w\"}");
    assertThat(reads(policy, 10, 200)).isTrue();
    assertThat(policy.allows(DeviceRule.Type.CHARACTER, 10, 200, Set.of(DeviceRule.Access.WRITE)))
        .isFalse();
  }

  private static boolean reads(DevicePolicy policy, int major, int minor) {
    return policy.allows(DeviceRule.Type.CHARACTER, major, minor, READ);
  }

  private static DevicePolicy policy(String rules) throws Exception {
    OciSpec spec = OciSpec.parse(Documents.resources("\"devices\":[" + rules + "]"));
    return OciDevices.policy(spec.resources().devices());
  }
}
