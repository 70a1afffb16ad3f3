package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CgroupHostTest {
  private static final String MOUNT =
      "31 23 0:27 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n";

  @TempDir Path folder;

  private static Hierarchy only(CgroupHost host) {
    assertThat(host.hierarchies()).hasSize(1);
    return host.hierarchies().getFirst();
  }

  private static Hierarchy holding(CgroupHost host, String controller) {
    return host.holding(controller).orElseThrow();
  }

  private static CgroupHost host(String mounts, String groups) throws HoldfastException {
    return new Machines.Texts(mounts, groups).host();
  }

  @Test
  void desktopOfSystemd() throws HoldfastException {
    CgroupHost host = Machines.DESKTOP.host();
    assertThat(host.version()).isEqualTo(CgroupVersion.V2);
    Hierarchy unified = only(host);
    assertThat(unified.own())
        .contains(
            Path.of(
                "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/"
                    + "app-org.gnome.Terminal.slice/vte-spawn-0a1b.scope"));
    assertThat(unified.controllers()).containsExactly("memory");
    assertThat(host.unified()).contains(unified);
    assertThat(host.holding("memory")).contains(unified);
    assertThat(host.holding("cpu")).isEmpty();
  }

  @Test
  void hybridOfSystemd() throws HoldfastException {
    CgroupHost host = Machines.HYBRID.host();
    assertThat(host.version()).isEqualTo(CgroupVersion.HYBRID);
    assertThat(host.hierarchies())
        .extracting(Hierarchy::name)
        .containsExactly("unified", "net_cls,net_prio", "pids", "cpu,cpuacct", "freezer", "memory");
    // v1 is asked first, even if v2 claims to have it too.
    assertThat(holding(host, "memory").own())
        .contains(Path.of("/sys/fs/cgroup/memory/user.slice/user-0.slice/session-3.scope"));
    assertThat(holding(host, "cpuacct").mount()).isEqualTo(Path.of("/sys/fs/cgroup/cpu,cpuacct"));
    assertThat(host.unified().orElseThrow().own())
        .contains(Path.of("/sys/fs/cgroup/unified/user.slice/user-0.slice/session-3.scope"));
  }

  @Test
  void builder() throws HoldfastException {
    CgroupHost host = Machines.BUILDER.host();
    assertThat(host.version()).isEqualTo(CgroupVersion.HYBRID);
    assertThat(host.unified().orElseThrow().own()).contains(Path.of("/sys/fs/cgroup/unified"));
    assertThat(holding(host, "memory").own())
        .contains(Path.of("/sys/fs/cgroup/memory/process_api/9903bea3363b4b4c04b480e9c71df891"));
    assertThat(holding(host, "cpu").own()).contains(Path.of("/sys/fs/cgroup/cpu"));
  }

  @Test
  void legacyWithColonsAndCoMounts() throws HoldfastException {
    CgroupHost host = Machines.LEGACY.host();
    assertThat(host.version()).isEqualTo(CgroupVersion.V1);
    assertThat(host.unified()).isEmpty();
    assertThat(holding(host, "memory").own())
        .contains(Path.of("/sys/fs/cgroup/memory/with:colons and blanks:x"));
    assertThat(holding(host, "cpu").controllers()).containsExactlyInAnyOrder("cpu", "cpuacct");
    assertThat(host.hierarchies()).hasSize(3);
  }

  @Test
  void containerWithItsOwnNamespace() throws HoldfastException {
    CgroupHost host = Machines.CONTAINER.host();
    assertThat(only(host).own()).contains(Path.of("/sys/fs/cgroup"));
    assertThat(only(host).root()).isEqualTo("/");
    assertThat(host.isReadOnly(only(host))).isTrue();
  }

  @Test
  void bindMountsOfAContainer() throws HoldfastException {
    CgroupHost host = Machines.BOUND.host();
    assertThat(host.version()).isEqualTo(CgroupVersion.V1);
    // Two mounts show our group: the one with the whole hierarchy is preferred.
    assertThat(holding(host, "memory").own())
        .contains(Path.of("/host/memory/docker/3f1c0a9d2be1c5/inner"));
    assertThat(holding(host, "memory").root()).isEqualTo("/");
    // Of two bind mounts only one shows it.
    Hierarchy freezer = holding(host, "freezer");
    assertThat(freezer.own()).contains(Path.of("/sys/fs/cgroup/freezer"));
    assertThat(freezer.root()).isEqualTo(Machines.ID);
    assertThat(freezer.pathOf(freezer.own().orElseThrow())).isEqualTo(freezer.ownPath());
    assertThat(host.isReadOnly(freezer)).isTrue();
  }

  @Test
  void outsideOfOurNamespace() throws HoldfastException {
    CgroupHost host = Machines.OUTSIDE.host();
    assertThat(host.version()).isEqualTo(CgroupVersion.HYBRID);
    assertThat(host.unified().orElseThrow().own()).isEmpty();
    // The mount shows more than our namespace holds; what lies between has no name here.
    assertThat(holding(host, "memory").own()).isEmpty();
  }

  @Test
  void groupBesideTheBindMount() throws HoldfastException {
    // /docker/3f1 begins as /docker/3f1c does, and is another group.
    CgroupHost host =
        host("31 23 0:27 /docker/3f1 /c rw - cgroup2 none rw\n", "0::/docker/3f1c/x\n");
    assertThat(only(host).own()).isEmpty();
  }

  @Test
  void removedGroup() throws HoldfastException {
    Hierarchy unified = only(host(MOUNT, "0::/a/b (deleted)\n"));
    assertThat(unified.own()).isEmpty();
    assertThat(unified.ownPath()).isEqualTo("/a/b");
  }

  @Test
  void namesThatOnlyLookLikeDots() throws HoldfastException {
    assertThat(only(host(MOUNT, "0::/..a/.b/...\n")).own())
        .contains(Path.of("/sys/fs/cgroup/..a/.b/..."));
  }

  @Test
  void octalEscapesAndNames() throws HoldfastException {
    CgroupHost host =
        host(
            "31 23 0:27 /a\\134x2d\\040b /my\\011\\043\\303\\251 rw master:1 shared:2 - cgroup2  rw\n"
                .replace("\\303\\251", "e"),
            "0::/a\\x2d b/c\n");
    assertThat(only(host).root()).isEqualTo("/a\\x2d b");
    assertThat(only(host).own()).contains(Path.of("/my\t#e/c"));
  }

  @Test
  void duplicateMountsPreferTheWritableOne() throws HoldfastException {
    CgroupHost host =
        host(
            "31 23 0:27 / /one ro - cgroup2 none rw\n32 23 0:27 / /two rw - cgroup2 none rw\n",
            "0::/x\n");
    assertThat(only(host).mount()).isEqualTo(Path.of("/two"));
  }

  @Test
  void hiddenMountsAreNoPlaces() throws HoldfastException {
    String covered =
        MOUNT
            + "40 31 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
            + "41 40 0:27 /y /sys/fs/cgroup/new rw - cgroup2 none rw\n";
    assertThat(only(host(covered, "0::/y/x\n")).mount()).isEqualTo(Path.of("/sys/fs/cgroup/new"));
    String above =
        "23 1 0:20 / / rw - ext4 /dev/sda rw\n" + MOUNT + "42 23 0:29 / /sys rw - tmpfs tmpfs rw\n";
    assertThat(host(above, "0::/x\n").version()).isEqualTo(CgroupVersion.NONE);
    String beside =
        "23 1 0:20 / / rw - ext4 /dev/sda rw\n"
            + MOUNT
            + "42 23 0:29 / /sys/fs/cg rw - tmpfs tmpfs rw\n";
    assertThat(host(beside, "0::/x\n").version()).isEqualTo(CgroupVersion.V2);
  }

  @Test
  void machineWithoutControlGroups() throws IOException {
    CgroupHost host = CgroupHost.read(folder);
    assertThat(host.version()).isEqualTo(CgroupVersion.NONE);
    assertThat(host.hierarchies()).isEmpty();
    assertThat(host.absence("memory").orElseThrow().reason())
        .isEqualTo("this kernel has no memory controller");
    assertThat(host(MOUNT, "").version()).isEqualTo(CgroupVersion.NONE);
    assertThat(host("", "0::/\n").version()).isEqualTo(CgroupVersion.NONE);
  }

  @Test
  void controllersAreReadFromTheMount() throws IOException {
    Machine machine =
        new Machine(folder)
            .mounts(Machines.CONTAINER.mounts())
            .groups("0::/\n")
            .group2("/sys/fs/cgroup", "cpuset cpu memory", "4711\n");
    assertThat(only(machine.host()).controllers())
        .containsExactlyInAnyOrder("cpuset", "cpu", "memory");
    Files.delete(machine.at("/sys/fs/cgroup/cgroup.controllers"));
    assertThat(only(machine.host()).controllers()).isEmpty();
  }

  @Test
  void fileThatCannotBeRead() throws IOException {
    Machine machine = new Machine(folder).groups("0::/\n");
    assertThatThrownBy(machine::host)
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("self/mountinfo");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0",
        "0:/x",
        "x::/",
        "-1::/",
        "+1:cpu:/",
        "9999999999999999999:cpu:/",
        "0::",
        "0::x",
        "0::/a/",
        "0::/a//b",
        "0::/a/./b",
        "0::/a/../b",
        "0::/../a/..",
        "0:cpu:/",
        "1::/",
        "1:cpu,:/",
        "1:CPU:/",
        "1:cpu cpuacct:/",
        "1:cpu,cpu:/",
        "0::/a\0b",
        "0::/\u00e9",
        "2:memory:/x\n2:cpu:/",
        "2:memory:/x\n3:memory:/",
        "0::/x\n0::/y",
      })
  void malformedGroups(String lines) {
    assertThatThrownBy(() -> host(MOUNT, lines + "\n"))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("cgroup line " + Math.max(1, lines.lines().count()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "too few fields | 31 23 0:27 / /c rw - cgroup2 none",
        "too few fields | 31 23 0:27 / /c rw shared:1 cgroup2 none rw",
        "too few fields | 31",
        "not a number | x 23 0:27 / /c rw - cgroup2 none rw",
        "not a number | 31 -1 0:27 / /c rw - cgroup2 none rw",
        "root is not proper | 31 23 0:27 x /c rw - cgroup2 none rw",
        "root is not proper | 31 23 0:27 /a/../b /c rw - cgroup2 none rw",
        "mount point is not proper | 31 23 0:27 / c rw - cgroup2 none rw",
        "mount point is not proper | 31 23 0:27 / /../c rw - cgroup2 none rw",
        "mount point is not proper | 31 23 0:27 / /c/. rw - cgroup2 none rw",
        "octal | 31 23 0:27 / /c\\04 rw - cgroup2 none rw",
        "octal | 31 23 0:27 / /c\\089 rw - cgroup2 none rw",
        "octal | 31 23 0:27 / /c\\777 rw - cgroup2 none rw",
        "NUL | 31 23 0:27 / /c\\000 rw - cgroup2 none rw",
        "UTF-8 | 31 23 0:27 / /c\\377 rw - cgroup2 none rw",
      })
  void malformedMounts(String why, String line) {
    assertThatThrownBy(() -> host(MOUNT + line + "\n", "0::/\n"))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("mountinfo line 2")
        .hasMessageContaining(why);
  }

  @Test
  void linesThatAreCutOff() {
    assertThatThrownBy(() -> host(MOUNT, "0::/user.sli"))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("cgroup line 1")
        .hasMessageContaining("cut off");
  }

  @Test
  void otherMountsMayBeOdd() throws HoldfastException {
    // Not ours to judge: names that are not UTF-8, an empty source.
    String odd = "50 23 0:40 / /media/\\377 rw - fuse  rw\n";
    assertThat(host(odd + MOUNT, "0::/x\n").version()).isEqualTo(CgroupVersion.V2);
  }

  @Test
  void whyAControllerIsAbsent() throws IOException {
    Machine machine =
        new Machine(folder)
            .mounts(Machines.DESKTOP.mounts())
            .groups("0::/\n")
            .root2("/sys/fs/cgroup", "cpu pids")
            .procFile(
                "cgroups",
                """
                #subsys_name\thierarchy\tnum_cgroups\tenabled
                cpu\t0\t99\t1
                memory\t0\t99\t0
                blkio\t7\t99\t1
                cpuset\t0\t99\t1
                """);
    CgroupHost host = machine.host();
    assertThat(host.absence("cpu")).isEmpty();
    assertThat(host.absence("memory"))
        .contains(
            new Absence(
                "the kernel's memory controller is switched off (cgroup_disable=memory)",
                "remove cgroup_disable=memory from the kernel's command line"));
    assertThat(host.absence("io").orElseThrow().reason())
        .isEqualTo("the io controller is in a v1 hierarchy that is not mounted here");
    assertThat(host.absence("cpuset").orElseThrow().reason())
        .endsWith("/cgroup.controllers offers only cpu pids");
    assertThat(host.absence("hugetlb").orElseThrow().reason())
        .isEqualTo("this kernel has no hugetlb controller");
    machine.file("/sys/fs/cgroup/cgroup.type", "domain\n");
    assertThat(machine.host().absence("hugetlb").orElseThrow().reason())
        .endsWith("offers only cpu pids");
  }
}
