package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.InGuest;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Controllers that systemd delegates to nobody, in a group beside its own: in guests, whose root
 * group may be changed.
 */
@InGuest
@Needs({Feature.ROOT, Feature.PURE_V2, Feature.HUGETLB})
@Timeout(120)
class RareControllersKernelTest {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");
  private static final Path TOP = ROOT.resolve("hf-rare");
  private static final Path RESERVED =
      Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
  private static final long MIB = 1 << 20;

  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    for (String name : List.of("+io", "+hugetlb", "+rdma", "+misc")) {
      Files.writeString(ROOT.resolve("cgroup.subtree_control"), name);
    }
    Files.createDirectory(TOP);
    Delegation delegation = Delegation.probe(CgroupHost.read(), Optional.of(TOP));
    delegation.acquire();
    group = delegation.create("job");
  }

  @AfterEach
  void remove() throws IOException {
    group.close();
    Files.delete(TOP);
    Files.writeString(RESERVED, "0");
  }

  /** mmap(2) of anonymous huge pages of 2 MiB; what came of it, and of writing to all of it. */
  private String map(int mib, int moreFlags) throws Exception {
    String script =
        "exec perl -e '$n = %d << 20; $a = syscall(9, 0, $n, 3, 0x40022 | %d, -1, 0);"
            + " if ($a == -1) { print $!{ENOMEM} ? \"ENOMEM\" : \"mmap: $!\"; exit }"
            + " open($zero, \"<\", \"/dev/zero\"); $got = syscall(0, fileno($zero), $a, $n);"
            + " print $got == $n ? \"full\" : \"$got of $n\"'";
    Process process = groups.runAndRead(group, script.formatted(mib, moreFlags));
    String output = new String(process.getInputStream().readAllBytes());
    int status = process.waitFor();
    final int sigbus = 128 + 7;
    return status == sigbus ? "SIGBUS" : output;
  }

  @Test
  void hugePagesAreLimitedWhenReservedAndWhenUsed() throws Exception {
    Files.writeString(RESERVED, "16");
    assertThat(Files.readString(RESERVED).strip()).isEqualTo("16");
    final int noReserve = 0x4000;
    group.use(Set.of("hugetlb"));
    assertThat(map(8, 0)).as("without a limit").isEqualTo("full");
    assertThat(map(8, noReserve)).as("without a limit").isEqualTo("full");

    AppliedLimit row = group.apply(Limits.builder().hugetlb("2M", "5M").build(), false).getFirst();
    assertThat(row)
        .isEqualTo(
            new AppliedLimit(
                LimitKind.HUGETLB,
                "2MB",
                Optional.of("2M=5M"),
                Optional.of(LimitValue.count(4 * MIB)),
                AppliedLimit.Status.ENFORCED,
                Optional.of("hugetlb.2MB.max"),
                Optional.empty()));
    assertThat(group.usage().evidence(row)).isEqualTo(AppliedLimit.Evidence.NOT_TRIPPED);
    assertThat(map(4, 0)).isEqualTo("full");
    assertThat(map(8, 0)).isEqualTo("ENOMEM");
    assertThat(group.usage().evidence(row)).isEqualTo(AppliedLimit.Evidence.TRIPPED);
    // Not reserved, but used: the write(2) of the kernel's into the third page fails.
    assertThat(map(4, noReserve)).isEqualTo("full");
    assertThat(map(8, noReserve)).isNotEqualTo("full");

    group.apply(Limits.builder().hugetlb("2MB", "max").build(), false);
    assertThat(map(8, 0)).as("lifted again").isEqualTo("full");
    group.apply(Limits.builder().hugetlb("2MB", 0).build(), false);
    assertThat(map(2, 0)).isEqualTo("ENOMEM");
  }

  @Test
  void aSizeThatIsNotThereIsNamed() {
    Limits limits = Limits.builder().hugetlb("16M", "64M").build();
    assertThatThrownBy(() -> group.apply(limits, false))
        .hasMessageContaining("this kernel has no huge pages of 16MB (give one of its sizes: 2MB");
  }

  @Test
  void resourcesThatAreNotThereAreNamed() throws Exception {
    Limits rdma = Limits.builder().rdma("mlx5_0", "hca_handle=2").build();
    assertThatThrownBy(() -> group.apply(rdma, false))
        .hasMessageContaining("there is no RDMA device mlx5_0");
    Limits misc = Limits.builder().misc("nothing", 5).build();
    assertThatThrownBy(() -> group.apply(misc, false))
        .hasMessageContaining("this machine has no resource nothing");
    assertThat(group.apply(misc, true)).noneMatch(AppliedLimit::isEnforced);
  }

  @Test
  void aWeightIsSet() throws Exception {
    List<AppliedLimit> rows = group.apply(Limits.builder().ioWeight(50).build(), false);
    assertThat(rows.getFirst().effective()).hasValue(LimitValue.count(50));
    String file = rows.getFirst().by().orElseThrow();
    assertThat(Files.readString(TOP.resolve("job").resolve(file))).startsWith("default 50\n");
    rows = group.apply(Limits.builder().blkioWeight(100).build(), false);
    assertThat(rows.getFirst().effective())
        .hasValue(LimitValue.count(file.equals("io.weight") ? 910 : 100));
  }
}
