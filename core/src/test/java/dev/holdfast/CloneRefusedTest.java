package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Needs;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A filter cannot look into the struct of clone3(2), so those of containers and of systemd's
 * RestrictNamespaces= forbid the call whole: then children join by write.
 */
@EveryKernel
@Needs({Feature.FREEZER, Feature.PIDS})
@Timeout(120)
@ExtendWith(FromALeaf.class)
class CloneRefusedTest {
  private static final String ENOSYS = "38";

  /** A filter that answers clone3 (435 on every processor) with an errno, and then the rest. */
  private static final String FILTER =
      "$filter = pack('SCCL' x 4, 0x20, 0, 0, 0,  0x15, 0, 1, 435,"
          + " 0x06, 0, 0, 0x50000 | shift,  0x06, 0, 0, 0x7fff0000);"
          + " syscall(`uname -m` =~ /x86/ ? 157 : 167, 38, 1, 0, 0, 0) == 0 or die $!;"
          + " syscall(`uname -m` =~ /x86/ ? 317 : 277, 1, 0, pack('Sx![P]P', 4, $filter)) == 0 or die $!;"
          + " exec @ARGV or die $!";

  /** Prints where a child was, and how many it could start. */
  public static final class Starting {
    private Starting() {}

    public static void main(String[] arguments) throws Exception {
      try (Job job = Job.builder().limits(Limits.builder().pids(4).build()).open()) {
        String found =
            new String(
                job.start(Command.of("cat", "/proc/self/cgroup").stdout(Output.pipe()))
                    .stdout()
                    .readAllBytes(),
                StandardCharsets.UTF_8);
        boolean inside = job.cgroupPaths().values().stream().allMatch(found::contains);
        System.out.println("inside " + inside);
        Child forks = job.start(Trees.forks(new dev.holdfast.testing.Marked("forks")));
        System.out.println(
            "forks "
                + new java.io.BufferedReader(
                        new java.io.InputStreamReader(forks.stdout(), StandardCharsets.UTF_8))
                    .readLine());
      }
    }
  }

  @Test
  void childrenJoinByWrite() throws Exception {
    List<String> before = List.of("perl", "-e", FILTER, ENOSYS);
    Process jvm = Jvm.behind(before, ClassPath.own(), Starting.class);
    List<String> lines = new ArrayList<>();
    for (String line = Jvm.line(jvm); line != null; line = Jvm.line(jvm)) {
      lines.add(line);
    }
    assertThat(jvm.waitFor()).as("%s", lines).isZero();
    assertThat(lines).containsExactly("inside true", "forks 3 11");
  }
}
