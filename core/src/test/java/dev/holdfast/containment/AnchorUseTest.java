package dev.holdfast.containment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.CgroupHost;
import dev.holdfast.cgroup.Delegation;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nothing is made before a keeper knows where. */
@EveryKernel
@Needs({Feature.ROOT, Feature.FREEZER})
@Timeout(120)
class AnchorUseTest {
  private static final String KEEPERS = "dev.holdfast.keeper";

  @TempDir Path folder;

  @Test
  void whatNoKeeperCouldBeToldIsToldTheNextTime() throws Exception {
    Anchor anchor = Anchor.create(Delegation.probe(CgroupHost.read(), Optional.empty()));
    String former = System.getProperty(KEEPERS);
    try {
      for (String processor : Set.of("x86_64", "aarch64")) {
        Path no = Files.writeString(folder.resolve("keeper-" + processor), "no program");
        Files.setPosixFilePermissions(no, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
      System.setProperty(KEEPERS, folder.toString());
      assertThat(ProcessHandle.of(anchor.keeper().keeperPid()).orElseThrow().destroyForcibly())
          .isTrue();
      Awaitility.await("its end").until(() -> anchor.keeper().keeperPid() == 0);
      assertThatThrownBy(() -> anchor.use(Set.of("cpuset"))).isInstanceOf(IOException.class);
      assertThatThrownBy(() -> anchor.use(Set.of("cpuset"))).isInstanceOf(IOException.class);
    } finally {
      if (former == null) {
        System.clearProperty(KEEPERS);
      } else {
        System.setProperty(KEEPERS, former);
      }
    }
    anchor.use(Set.of("cpuset"));
    assertThat(anchor.keeper().keeperPid()).isNotZero();
    Path path = anchor.path();
    anchor.close();
    assertThat(path).doesNotExist();
  }
}
