package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Child;
import dev.holdfast.Command;
import dev.holdfast.Host;
import dev.holdfast.Job;
import dev.holdfast.MechanismChoice;
import dev.holdfast.Output;
import dev.holdfast.Result;
import dev.holdfast.Run;
import dev.holdfast.cgroup.HoldfastException;
import dev.holdfast.cgroup.Limits;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Jvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On another system every class loads, process trees serve, and what does not work says why. */
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
            "opened PROCESS_TREE",
            "exit 7: hello",
            "cannot limit memory with process-tree: " + REASON,
            "cannot hold a job: " + REASON,
            "cannot hold a job: " + REASON,
            "run: 3",
            "TIMED_OUT",
            "doctor: 1, caveat: true");
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
        Child child = job.start(Command.of("sh", "-c", "echo hello; exit 7").stdout(Output.pipe()));
        String line = new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8).strip();
        System.out.println("exit " + child.waitFor().code() + ": " + line);
      }
      refused(Job.builder().limits(Limits.builder().memory("64M").build()));
      refused(Job.builder().mechanism(MechanismChoice.CGROUP));
      refused(Job.builder().mechanism(MechanismChoice.PROCESS_GROUP));
      System.out.println("run: " + Call.of("run", "--", "sh", "-c", "exit 3").status());
      Result late =
          Run.of(Command.of("sh", "-c", "sleep 100 & wait")).timeout(Duration.ofMillis(200)).run();
      System.out.println(late.outcome());
      Call doctor = Call.of("doctor");
      System.out.println(
          "doctor: " + doctor.status() + ", caveat: " + doctor.out().contains("caveat   "));
    }

    private static void refused(Job.Builder builder) throws IOException {
      try (Job job = builder.open()) {
        System.out.println("opened " + job);
      } catch (HoldfastException refusal) {
        System.out.println(refusal.getMessage());
      }
    }
  }
}
