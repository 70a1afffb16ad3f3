package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.linux.FaultMatrix;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostAndGuest;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every change that a group makes in the kernel's filesystem, failing in every way. */
@HostAndGuest
@Needs(Feature.ROOT)
@Timeout(600)
class CgroupFaultTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String NAME = "hf-fault-" + ProcessHandle.current().pid() + "-";
  private static final Duration STALL = Duration.ofMillis(100);
  private static final Duration WINDOW = Duration.ofSeconds(2);
  private static final AtomicInteger NUMBER = new AtomicInteger();

  /** Where a failure shows in nothing but another way to the same end. */
  private static final List<String> FALL_BACKS =
      List.of(
          // One by one, while they are frozen if that is possible.
          "(openat|write) cgroup.kill .*",
          // Of those that may be given away a group has what its controllers have.
          "fchownat \\S+ ENOENT",
          // Before Linux 5.7: nested groups that vanish go unnoticed.
          "fsetxattr user.holdfast EOPNOTSUPP",
          // Before Linux 4.19, or without the controller.
          "(openat|write) memory.oom.group ENOENT");

  @Test
  void aGroup() throws Exception {
    Delegation delegation = Delegation.probe(CgroupHost.read(), Optional.empty());
    delegation.acquire();
    Limits limits = everythingThatHoldsHere(delegation);
    Marked mark = Marked.fresh();
    List<Path> roots = delegation.places().stream().map(Place::base).toList();
    FaultMatrix matrix = new FaultMatrix();
    List<Process> processes = new ArrayList<>();
    List<Cgroup> made = new ArrayList<>();
    matrix.run(
        attempts ->
            attempts.attempt(() -> {
              Cgroup group = delegation.create(NAME + NUMBER.incrementAndGet());
              made.add(group);
              attempts.attempt(() -> group.apply(limits, false));
              attempts.attempt(() -> group.delegateTo(65534, 65534));
              Process process =
                  new ProcessBuilder("sh", "-c", "exec perl -e 'sleep 1000' " + mark.text())
                      .start();
              processes.add(process);
              attempts.attempt(() -> group.attach(process.pid()));
              attempts.attempt(() -> group.apply(limits, false));
              attempts.attempt(group::freeze);
              attempts.attempt(group::thaw);
              if (has(group, "memory.reclaim")) {
                attempts.attempt(() -> group.reclaim(4096));
              }
              for (PressureKind kind : PressureKind.values()) {
                if (has(group, kind.file())) {
                  attempts.attempt(() ->
                      group
                          .onPressure(kind, kind == PressureKind.IRQ, STALL, WINDOW, () -> {})
                          .close());
                }
              }
              if (group.directory("memory").isPresent()) {
                attempts.attempt(() -> group.watchOom(() -> {}).close());
              }
              attempts.attempt(() -> group.kill(PATIENCE));
              attempts.attempt(() -> {
                // No exception: a limit that needs one of them fails with this reason.
                for (Absence refused : group.enableControllers().values()) {
                  throw new HoldfastException("absent", refused.reason(), refused.remedy(), null);
                }
              });
              attempts.attempt(() -> {
                Cgroup nested = group.create("nested");
                attempts.attempt(nested::remove);
              });
              attempts.attempt(group::remove);
            }),
        fault -> {
          for (Cgroup group : made) {
            group.close();
          }
          made.clear();
          for (Process process : processes) {
            // One that could not be attached is nobody's.
            process.destroyForcibly().waitFor();
          }
          processes.clear();
          List<Path> left = here(roots);
          for (Path path : left) {
            Files.delete(path); // or each run after this one would complain
          }
          assertThat(left).as(fault).isEmpty();
          assertThat(mark.alive()).as(fault).isEmpty();
        });
    assertThat(matrix.runs()).isGreaterThan(100);
    assertThat(matrix.silentBut(FALL_BACKS)).isEmpty();
  }

  private static boolean has(Cgroup group, String file) {
    return group.unifiedDirectory().map(d -> Files.exists(d.resolve(file))).orElse(false);
  }

  /** Whatever of it this kernel holds. */
  private static Limits everythingThatHoldsHere(Delegation delegation) throws IOException {
    Limits.Builder holding = Limits.builder().oomGroup(true);
    for (LimitKind kind : LimitKind.values()) {
      String text =
          switch (kind) {
            case MEMORY, MEMORY_HIGH -> "256M";
            case MEMORY_LOW, MEMORY_MIN, SWAP, SWAP_HIGH, ZSWAP -> "1M";
            case SWAPPINESS -> "10";
            case CPUS -> "0.5";
            case CPU_WEIGHT -> "50";
            case CPU_BURST -> "1ms";
            case CPU_UCLAMP_MIN -> "1";
            case CPU_UCLAMP_MAX -> "50";
            case CPUSET_CPUS, CPUSET_MEMS -> "0";
            case PIDS -> "64";
            case DEVICE -> "!c 10:200 rwm";
            case NET_CLASS -> "1048577";
            case NET_PRIORITY -> "lo=1";
            case SET -> "cgroup.max.depth=5";
            case CPU_IDLE, OOM_KILL_DISABLE -> "no";
            case CPUSET_PARTITION -> "member";
            // Each a file of the same syntax as others, or of devices: LimitFaultTest has all.
            case IO_WEIGHT, IO_MAX, IO_LATENCY, HUGETLB, RDMA, MISC -> "";
            case CPU_REALTIME, MEMORY_KERNEL, OOM_GROUP, CPU_TIME -> "";
          };
      if (!text.isEmpty() && holds(delegation, kind, text)) {
        holding.set(kind, text);
      }
    }
    return holding.build();
  }

  private static boolean holds(Delegation delegation, LimitKind kind, String text)
      throws IOException {
    try (Cgroup group = delegation.create(NAME + NUMBER.incrementAndGet())) {
      Limits.Builder alone = Limits.builder().set(kind, text);
      if (kind == LimitKind.SWAP) {
        alone.memory("256M");
      }
      return group.apply(alone.build(), true).stream()
          .anyMatch(row -> row.kind() == kind && row.isEnforced());
    }
  }

  private static List<Path> here(List<Path> roots) {
    List<Path> found = new ArrayList<>();
    for (Path root : roots) {
      try (var all = Files.list(root)) {
        all.filter(path -> path.getFileName().toString().startsWith(NAME)).forEach(found::add);
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
    return found;
  }
}
