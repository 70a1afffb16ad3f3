package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.HoldfastException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** On another system every class loads, and what does not work says why. */
class OffLinuxTest {
  private static final String ELSEWHERE = "Elsewhere";

  @Test
  void everythingLoadsAndTheReasonIsTold() throws Exception {
    Process jvm = Jvm.start(List.of("-Dos.name=" + ELSEWHERE), Visitor.class);
    List<String> lines = jvm.inputReader().lines().toList();
    assertThat(jvm.waitFor()).as("%s", lines).isZero();
    assertThat(Integer.parseInt(lines.getFirst())).isGreaterThan(150);
    assertThat(lines.subList(1, lines.size()))
        .containsExactly(
            "false process-tree",
            "control groups are Linux's, and this is Elsewhere (run on Linux, on x86-64 or aarch64)",
            "cannot hold a job: control groups are Linux's, and this is Elsewhere"
                + " (run on Linux, on x86-64 or aarch64)");
  }

  /** What a program on that system would see. */
  static final class Visitor {
    private Visitor() {}

    public static void main(String[] args) throws Exception {
      System.out.println(Jvm.loadAll());
      Host host = Host.probe();
      System.out.println(host.available() + " " + host.mechanism().text());
      System.out.println(host.reason().orElseThrow() + " (" + host.remedy().orElseThrow() + ")");
      try (Job job = Job.open()) {
        System.out.println("opened " + job.mechanism());
      } catch (HoldfastException refused) {
        System.out.println(refused.getMessage());
      }
    }
  }
}
