package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A privileged member can mount another group on one of its own. */
@InGuest
@Needs(Feature.ROOT)
@Timeout(120)
class MountedGroupTest {
  @RegisterExtension final Marked mark = Marked.fresh();
  @RegisterExtension final Marked others = Marked.fresh();

  @Test
  void whatIsMountedOnAGroupIsNotEnded() throws Exception {
    try (Job other = Job.builder().mechanism(MechanismChoice.CGROUP).open();
        Job job = Job.builder().mechanism(MechanismChoice.CGROUP).open()) {
      other.start(Trees.sleeper(others));
      job.start(Trees.sleeper(mark));
      List<Long> strangers = others.await(1);
      Path nested = membership(job).resolve("nested");
      Files.createDirectory(nested);
      Tool.run("mount", "--bind", membership(other).toString(), nested.toString());
      try {
        // The control: it can be reached there.
        assertThat(Groups.membersOf(nested)).isEqualTo(strangers);

        assertThat(job.members()).hasSize(1);
        job.signal(Signal.KILL);
        job.kill();

        assertThat(mark.alive()).isEmpty();
        assertThat(others.alive()).isEqualTo(strangers);
      } finally {
        Tool.run("umount", nested.toString());
      }
    }
  }

  private static Path membership(Job job) throws Exception {
    return Groups.membership(Groups.directoriesOf(job));
  }
}
