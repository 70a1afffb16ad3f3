package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.linux.Faults;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Changes of the limits of a running group: all or none, and nothing that was not asked for. */
@EveryKernel
@Timeout(120)
class LiveUpdateTest {
  private static final long MIB = 1 << 20;
  private static final int EBUSY = 16;

  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = groups.make();
    groups.run(group, "exec sleep 1000");
  }

  @Test
  @Needs({Feature.MEMORY, Feature.PIDS, Feature.CPU})
  void whatWasSetBeforeARefusalIsTakenBack() throws Exception {
    group.apply(Limits.builder().pids(8).memory("64M").cpus(0.5).cpuWeight(50).build(), false);
    String cpu = cpu();
    try (Faults faults = Faults.failing(new Faults.Site("write", memoryFile()), EBUSY)) {
      assertThatThrownBy(() ->
              group.apply(
                  Limits.builder().pids(4).cpus(0.25).cpuWeight(20).memory("32M").build(), false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining(memoryFile())
          .hasMessageContaining("EBUSY")
          .hasMessageNotContaining("stays changed");
      assertThat(faults.writtenFiles())
          .as("the control: it was set, and set back")
          .filteredOn("pids.max"::equals)
          .hasSize(2);
    }
    assertThat(read("pids", "pids.max")).isEqualTo("8");
    assertThat(cpu()).isEqualTo(cpu);
    assertThat(Long.parseLong(read("memory", memoryFile()))).isEqualTo(64 * MIB);
  }

  /** Its file shows more than what is written to it. */
  @Test
  @Needs(Feature.V1_MEMORY)
  void thatTasksWaitForMemoryIsTakenBackToo() throws Exception {
    Limits limits = Limits.builder().oomKillDisable(true).memory("32M").build();
    try (Faults faults = Faults.failing(new Faults.Site("write", memoryFile()), EBUSY)) {
      assertThatThrownBy(() -> group.apply(limits, false))
          .hasMessageContaining("EBUSY")
          .hasMessageNotContaining("stays changed");
      assertThat(faults.writtenFiles()).filteredOn("memory.oom_control"::equals).hasSize(2);
    }
    assertThat(read("memory", "memory.oom_control")).startsWith("oom_kill_disable 0");
  }

  /** What the kernel gives a new group is known, not read; what it finds in an old one is read. */
  @Test
  @Needs({Feature.MEMORY, Feature.PIDS, Feature.CPU})
  void theFirstChangeIsTakenBackToo() throws Exception {
    Limits limits =
        Limits.builder().pids(4).cpus(0.25).cpuWeight(20).memoryLow("1M").memory("32M").build();
    String pids = read("pids", "pids.max");
    String cpu = cpu();
    String memory = read("memory", memoryFile());
    try (Faults faults = Faults.failing(new Faults.Site("write", memoryFile()), EBUSY)) {
      assertThatThrownBy(() -> group.apply(limits, false))
          .hasMessageContaining("EBUSY")
          .hasMessageNotContaining("stays changed");
      assertThat(faults.writtenFiles()).filteredOn("pids.max"::equals).hasSize(2);
    }
    assertThat(read("pids", "pids.max")).isEqualTo(pids).isEqualTo("max");
    assertThat(cpu()).isEqualTo(cpu);
    assertThat(read("memory", memoryFile())).isEqualTo(memory);

    Files.writeString(group.directory("pids").get().resolve("pids.max"), "8");
    List<Path> directories = new ArrayList<>(group.v1Directories());
    group.unifiedDirectory().ifPresent(directories::add);
    Cgroup found = Cgroup.existing(CgroupHost.read(), directories);
    try (Faults faults = Faults.failing(new Faults.Site("write", memoryFile()), EBUSY)) {
      assertThatThrownBy(() -> found.apply(limits, false)).hasMessageContaining("EBUSY");
    }
    assertThat(read("pids", "pids.max")).isEqualTo("8");
  }

  @Test
  void aNewGroupHoldsWhatIsSaidOfIt() throws Exception {
    Cgroup fresh = groups.make();
    int seen = 0;
    for (Branch branch : fresh.branches().all()) {
      for (String file : FreshValues.FILES) {
        String text = branch.directory().readIfPresent(file);
        if (text != null) {
          String known = String.valueOf(FreshValues.of(file));
          // v1 shows the largest number of whole pages for -1, but not for a quota.
          boolean most = text.startsWith("92233720368547") && known.equals("-1");
          assertThat(most ? known : text.strip()).as(file).isEqualTo(known);
          seen++;
        }
      }
    }
    assertThat(seen).isPositive();
  }

  @Test
  @Needs({Feature.MEMORY, Feature.PIDS})
  void whatCannotBeTakenBackIsNamed() throws Exception {
    group.apply(Limits.builder().pids(8).memory("64M").build(), false);
    HoldfastException refused = new HoldfastException("what", "why", "remedy", null);
    Rollback rollback = new Rollback();
    rollback.wrote(branch("pids").directory(), "pids.max", "8");
    rollback.wrote(branch("pids").directory(), "pids.max", "nonsense");
    rollback.wrote(branch("pids").directory(), "io.max", null);
    assertThat(rollback.after(refused))
        .hasMessage("what: why; what was set before stays changed in io.max, pids.max (remedy)")
        .satisfies(failure -> assertThat(failure.getSuppressed()).hasSize(1));
    assertThat(rollback.after(refused)).isSameAs(refused);
  }

  @Test
  @Needs(Feature.MEMORY)
  void swapThatWasAskedForStays() throws Exception {
    assumeTrue(Files.exists(group.directory("memory").get().resolve(swapFile())), "no swap limit");
    group.apply(Limits.builder().memory("64M").swap("8M").build(), false);
    assertThat(swap()).isEqualTo(8 * MIB);
    for (String memory : List.of("32M", "128M", "16M")) {
      group.apply(Limits.builder().memory(memory).build(), false);
      assertThat(swap()).isEqualTo(8 * MIB);
    }
  }

  /** The kernel takes each step, and none is tighter than where we come from and go to. */
  @Test
  @Needs(Feature.MEMORY)
  void everyDirection() throws Exception {
    assumeTrue(Files.exists(group.directory("memory").get().resolve(swapFile())), "no swap limit");
    group.apply(Limits.builder().memory("64M").swap("256M").build(), false);
    change("320M", 0, true);
    change("64M", 256 * MIB, false);
    change("128M", 512 * MIB, true);
    change("32M", 16 * MIB, false);
  }

  private void change(String memory, long swap, boolean memoryFirst) throws IOException {
    try (Faults faults = Faults.watch()) {
      group.apply(Limits.builder().memory(memory).swap(swap).build(), false);
      if (!isV1()) {
        assertThat(faults.writtenFiles())
            .containsExactly(
                memoryFirst ? memoryFile() : swapFile(), memoryFirst ? swapFile() : memoryFile());
      }
    }
    assertThat(swap()).isEqualTo(swap);
  }

  @Test
  @Needs({Feature.PURE_V2, Feature.MEMORY})
  void theOomGroupStaysAsItWasAskedFor() throws Exception {
    group.apply(Limits.NONE, false);
    assertThat(read("memory", "memory.oom.group")).isEqualTo("1");
    group.apply(Limits.builder().memory("64M").oomGroup(false).build(), false);
    assertThat(read("memory", "memory.oom.group")).isEqualTo("0");
    group.apply(Limits.builder().memory("32M").build(), false);
    assertThat(read("memory", "memory.oom.group")).isEqualTo("0");
  }

  @Test
  @Needs({Feature.PURE_V2, Feature.MEMORY})
  void aMissingControllerIsNotTakenForARemovedGroup() throws Exception {
    Cgroup inner = group.create("inner"); // nothing is enabled for it
    assertThatThrownBy(() -> inner.watchOom(() -> {}))
        .hasMessageContaining("memory.events: ENOENT")
        .hasMessageContaining("has no memory controller");
    assertThatThrownBy(() -> inner.reclaim(4096))
        .hasMessageContaining("memory.reclaim: ENOENT")
        .hasMessageContaining("has no memory controller");
    inner.close();
  }

  private boolean isV1() {
    return LivePlaces.isV1(group, "memory");
  }

  private String memoryFile() {
    return isV1() ? "memory.limit_in_bytes" : "memory.max";
  }

  private String swapFile() {
    return isV1() ? MemoryV1.MEMSW : MemoryV2.SWAP_MAX;
  }

  private long swap() throws IOException {
    long swap = Long.parseLong(read("memory", swapFile()));
    return isV1() ? swap - Long.parseLong(read("memory", memoryFile())) : swap;
  }

  private String cpu() throws IOException {
    return LivePlaces.isV1(group, "cpu")
        ? read("cpu", "cpu.cfs_quota_us")
            + " of "
            + read("cpu", "cpu.cfs_period_us")
            + " weighs "
            + read("cpu", "cpu.shares")
        : read("cpu", "cpu.max") + " weighs " + read("cpu", "cpu.weight");
  }

  private Branch branch(String controller) {
    Branch v1 = group.branches().v1With(controller);
    return v1 == null ? group.membership() : v1;
  }

  private String read(String controller, String file) throws IOException {
    Path directory = group.directory(controller).orElseThrow();
    return Files.readString(directory.resolve(file)).strip();
  }
}
