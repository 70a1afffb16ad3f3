package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.linux.Bpf;
import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.linux.Errno;
import dev.holdfast.linux.FaultMatrix;
import dev.holdfast.linux.Faults;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Every bpf(2) of a program on a group, failing in every way: what was in force stays in force. */
@EveryKernel
@Needs({Feature.ROOT, Feature.CGROUP_V2, Feature.CGROUP_BPF})
@Timeout(120)
class GroupProgramFaultTest {
  private static final GroupProgram PROGRAM = GroupProgram.DEVICES;
  private static final Faults.Site QUERY = new Faults.Site("bpf", "PROG_QUERY");

  private static final Faults.Site DETACH = new Faults.Site("bpf", "PROG_DETACH");

  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Directory group;
  private List<Integer> before = List.of();
  private boolean made;

  @BeforeEach
  void make() throws Exception {
    group = Directory.open(groups.make().unifiedDirectory().orElseThrow());
  }

  @AfterEach
  void close() {
    group.close();
  }

  @Test
  void aFirstProgram() throws Exception {
    check(
        () -> PROGRAM.put(group, code("!c 1:3 rwm")),
        (before, after) -> {
          assertThat(after).hasSize(1);
          PROGRAM.remove(group);
        });
  }

  @Test
  void aProgramInThePlaceOfAnother() throws Exception {
    PROGRAM.put(group, code("!c 1:3 rwm"));
    check(
        () -> PROGRAM.put(group, code("!c 1:5 rwm")),
        (before, after) -> assertThat(after).hasSize(1).doesNotContainAnyElementsOf(before));
  }

  @Test
  void aProgramThatIsTakenOff() throws Exception {
    PROGRAM.put(group, code("!c 1:3 rwm"));
    check(
        () -> PROGRAM.remove(group),
        (before, after) -> {
          assertThat(after).isEmpty();
          PROGRAM.put(group, code("!c 1:3 rwm"));
        });
  }

  /** It is there, but that cannot be seen. */
  @Test
  void aProgramThatCannotBeReadBack() throws Exception {
    putUnseen();
    assertThat(attached()).isEmpty();

    PROGRAM.put(group, code("!c 1:3 rwm"));
    List<Integer> former = attached();
    putUnseen();
    assertThat(attached()).isEqualTo(former);
  }

  /** There are two where one could not be taken off before: what both allow is allowed. */
  @Test
  void oneOfTwoThatIsNotTakenOff() throws Exception {
    for (String rule : List.of("!c 1:3 rwm", "!c 1:5 rwm")) {
      try (Descriptor program = Bpf.load(Bpf.PROGRAM_DEVICE, code(rule), "holdfast_device")) {
        Bpf.attach(group, Bpf.ATTACH_DEVICE, program);
      }
    }
    List<Integer> former = attached();
    try (Faults faults = Faults.failing(DETACH, Errno.EACCES, /* passing= */ 1)) {
      assertThatThrownBy(() -> PROGRAM.put(group, code("!c 1:7 rwm")))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("bpf(PROG_DETACH)");
      assertThat(faults.hits()).isEqualTo(2);
    }
    assertThat(attached()).hasSize(3).containsAll(former);
  }

  private void putUnseen() throws Exception {
    try (Faults faults = Faults.failing(QUERY, Errno.EACCES, /* passing= */ 1)) {
      assertThatThrownBy(() -> PROGRAM.put(group, code("!c 1:5 rwm")))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("bpf(PROG_QUERY)");
      assertThat(faults.hits()).isOne();
    }
  }

  @FunctionalInterface
  private interface Change {
    void make() throws Exception;
  }

  /** Looks at what a change did that was not refused, and makes it undone if need be. */
  @FunctionalInterface
  private interface Effect {
    void check(List<Integer> before, List<Integer> after) throws Exception;
  }

  private void check(Change change, Effect effect) throws Exception {
    before = attached();
    FaultMatrix matrix = new FaultMatrix();
    matrix.run(
        attempts -> {
          made = false;
          attempts.attempt(() -> {
            change.make();
            made = true;
          });
        },
        fault -> {
          if (made) {
            effect.check(before, attached());
            before = attached();
          } else {
            assertThat(attached()).as(fault).isEqualTo(before);
          }
        });
    assertThat(matrix.runs()).isGreaterThan(30);
    // Before Linux 5.6 none is replaced, but one comes beside the other, by the same call.
    assertThat(matrix.silentBut(List.of())).isEmpty();
  }

  /** As the kernel has them. */
  private List<Integer> attached() throws Exception {
    return Arrays.stream(Bpf.query(group, Bpf.ATTACH_DEVICE)).boxed().toList();
  }

  private static long[] code(String rule) throws Exception {
    return DeviceProgram.of(DevicePolicy.ALLOW_ALL.with(List.of(DeviceRule.parse(rule))));
  }
}
