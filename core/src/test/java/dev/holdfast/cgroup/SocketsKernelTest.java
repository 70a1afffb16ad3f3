package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.linux.Bpf;
import dev.holdfast.linux.Directory;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** New sockets of the members bear a mark and a priority. */
@EveryKernel
@Needs(Feature.ROOT)
@Timeout(120)
class SocketsKernelTest {
  private static final int SO_PRIORITY = 12;
  private static final int SO_MARK = 36;

  private Cgroup group;
  private Inside inside;

  @BeforeEach
  void make() throws Exception {
    group = LivePlaces.make();
    inside = Inside.start();
    group.attach(inside.pid());
    assertThat(inside.socketOption(SO_PRIORITY)).isZero();
    assertThat(inside.socketOption(SO_MARK)).isZero();
  }

  @AfterEach
  void clean() throws Exception {
    inside.close();
    group.close();
  }

  @Test
  @Needs({Feature.CGROUP_V2, Feature.CGROUP_BPF})
  void aProgramGivesMarkAndPriority() throws Exception {
    try (Directory unified = Directory.open(group.unifiedDirectory().orElseThrow())) {
      SocketsV2 sockets = new SocketsV2(unified, true, true);
      List<AppliedLimit> rows =
          FakeGroup.apply(sockets, Limits.builder().netClass(0xfffffff0L).build(), false);
      assertThat(rows)
          .singleElement()
          .isEqualTo(
              AppliedLimit.enforced(
                  LimitKind.NET_CLASS,
                  Optional.of("4294967280"),
                  LimitValue.count(0xfffffff0L),
                  "BPF_CGROUP_INET_SOCK_CREATE"));
      assertThat(inside.socketOption(SO_MARK)).isEqualTo(0xfffffff0L);
      assertThat(inside.socketOption(SO_PRIORITY)).isZero();

      // Each has its own program, so what is not asked for stays.
      for (long priority : List.of(5L, 6L)) {
        FakeGroup.apply(sockets, Limits.builder().netPriority(priority).build(), false);
        assertThat(inside.socketOption(SO_PRIORITY)).isEqualTo(priority);
        assertThat(inside.socketOption(SO_MARK)).isEqualTo(0xfffffff0L);
        assertThat(Bpf.query(unified, Bpf.ATTACH_SOCKET)).hasSize(2);
      }
      try (Inside outside = Inside.start()) {
        assertThat(outside.socketOption(SO_MARK)).isZero();
        assertThat(outside.socketOption(SO_PRIORITY)).isZero();
      }
    }
  }

  @Test
  @Needs({Feature.CGROUP_V2, Feature.CGROUP_BPF})
  void aSocketHasOnePriority() throws Exception {
    try (Directory unified = Directory.open(group.unifiedDirectory().orElseThrow())) {
      SocketsV2 sockets = new SocketsV2(unified, true, true);
      Limits two = Limits.builder().netPriority("lo", 1).netPriority("eth0", 2).build();
      assertThatThrownBy(() -> FakeGroup.apply(sockets, two, false))
          .hasMessageContaining("1 and 2 cannot both be had");
      assertThat(FakeGroup.apply(sockets, two, true))
          .hasSize(2)
          .noneMatch(AppliedLimit::isEnforced);
      assertThat(inside.socketOption(SO_PRIORITY)).isZero();
      Limits same = Limits.builder().netPriority("lo", 3).netPriority("eth0", 3).build();
      assertThat(FakeGroup.apply(sockets, same, false))
          .hasSize(2)
          .allMatch(AppliedLimit::isEnforced);
      assertThat(inside.socketOption(SO_PRIORITY)).isEqualTo(3);
    }
  }

  /** Of v1's controllers where they are, else by program. */
  @Test
  @Needs(Feature.NET)
  void limitsOfAGroup() throws Exception {
    List<AppliedLimit> rows =
        group.apply(Limits.builder().netClass(0x100001).netPriority(4).build(), true);
    assertThat(rows).hasSize(2);
    for (AppliedLimit row : rows) {
      if (!row.isEnforced()) {
        assertThat(Feature.CGROUP_V2.isPresent()).isFalse();
        assertThat(group.directory(row.kind().controller())).isEmpty();
        assertThat(row.reason().orElseThrow())
            .contains("no " + row.kind().controller() + " controller");
        continue;
      }
      switch (row.by().orElseThrow()) {
        case "net_cls.classid" -> {
          Path file = group.directory("net_cls").orElseThrow().resolve("net_cls.classid");
          assertThat(Files.readString(file).strip()).isEqualTo(Long.toString(0x100001));
        }
        case "net_prio.ifpriomap" -> {
          Path file = group.directory("net_prio").orElseThrow().resolve("net_prio.ifpriomap");
          assertThat(Files.readAllLines(file)).isNotEmpty().allMatch(line -> line.endsWith(" 4"));
        }
        default -> {
          boolean mark = row.kind() == LimitKind.NET_CLASS;
          assertThat(inside.socketOption(mark ? SO_MARK : SO_PRIORITY))
              .isEqualTo(mark ? 0x100001 : 4);
        }
      }
    }
    assertThat(rows).anyMatch(AppliedLimit::isEnforced);
  }
}
