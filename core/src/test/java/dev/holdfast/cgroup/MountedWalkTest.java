package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What a privileged member has mounted on a group of its own hinders nobody's look at the others.
 */
@InGuest
@Needs({Feature.ROOT, Feature.CGROUP_V2})
@Timeout(120)
class MountedWalkTest {
  @RegisterExtension final LiveGroups groups = new LiveGroups();

  @Test
  void whatIsMountedOnAGroupIsNotWalked() throws Exception {
    Cgroup group = groups.make();
    Path nested = group.unifiedDirectory().orElseThrow().resolve("nested");
    Path other = groups.make().unifiedDirectory().orElseThrow();
    Files.createDirectory(nested);
    Files.createDirectory(other.resolve("strangers"));
    Tool.run("mount", "--bind", other.toString(), nested.toString());
    try {
      // The control: it can be reached there.
      assertThat(nested.resolve("strangers")).exists();

      List<NestedGroup> seen = new ArrayList<>();
      group.walk(seen::add);
      assertThat(seen).hasSize(1);
      assertThat(seen.getFirst().members()).isEmpty();
    } finally {
      Tool.run("umount", nested.toString());
    }
  }
}
