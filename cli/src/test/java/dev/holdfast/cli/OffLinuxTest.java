package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Host;
import dev.holdfast.Job;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Jvm;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On another system every class of every module loads, and what does not work says why. */
@HostOnly
@Timeout(60)
class OffLinuxTest {
  private static final String REASON =
      "control groups are Linux's, and this is Elsewhere (run on Linux, on x86-64 or aarch64)";

  @Test
  void everythingLoadsAndTheReasonIsTold() throws Exception {
    Process jvm = Jvm.start(List.of("-Dos.name=Elsewhere"), Visitor.class);
    List<String> lines = jvm.inputReader().lines().toList();
    assertThat(jvm.waitFor()).as("%s", lines).isZero();
    assertThat(Integer.parseInt(lines.get(0))).as("classes of core").isGreaterThan(150);
    assertThat(Integer.parseInt(lines.get(1))).as("classes of oci").isGreaterThan(10);
    assertThat(Integer.parseInt(lines.get(2))).as("classes of systemd").isGreaterThan(5);
    assertThat(Integer.parseInt(lines.get(3))).as("classes of the command").isGreaterThan(20);
    assertThat(lines.subList(4, lines.size()))
        .containsExactly(
            "false process-tree",
            REASON,
            "cannot hold a job: " + REASON,
            "run: 125 holdfast: cannot hold a job: " + REASON,
            "doctor: 1");
  }

  /** What a program on that system would see. */
  static final class Visitor {
    private Visitor() {}

    public static void main(String[] args) throws Exception {
      for (String one :
          List.of(
              Job.class.getName(),
              "dev.holdfast.oci.OciSpec",
              "dev.holdfast.systemd.SystemdScopes",
              Main.class.getName())) {
        System.out.println(Jvm.loadAll(Class.forName(one)));
      }
      Host host = Host.probe();
      System.out.println(host.available() + " " + host.mechanism().text());
      System.out.println(host.reason().orElseThrow() + " (" + host.remedy().orElseThrow() + ")");
      try (Job job = Job.open()) {
        System.out.println("opened " + job.mechanism());
      } catch (HoldfastException refused) {
        System.out.println(refused.getMessage());
      }
      Call run = Call.of("run", "--", "true");
      System.out.println("run: " + run.status() + " " + run.err().strip());
      System.out.println("doctor: " + Call.of("doctor").status());
    }
  }
}
