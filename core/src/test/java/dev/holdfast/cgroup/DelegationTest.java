package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.cgroup.Delegation.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DelegationTest {
  private static final String TOP = "/sys/fs/cgroup";
  private static final String ALL = "cpuset cpu io memory hugetlb pids rdma misc";
  private static final String CGROUP2 = "31 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

  @TempDir Path folder;
  private Machine machine;

  @BeforeEach
  void makeMachine() throws IOException {
    machine = new Machine(folder);
  }

  private Delegation probe() throws IOException {
    return probe(Optional.empty());
  }

  private Delegation probe(String root) throws IOException {
    return probe(Optional.of(machine.at(root)));
  }

  /** Nobody is asked for a scope, whoever the class path has: see ScopeOfferTest. */
  private Delegation probe(Optional<Path> root) throws IOException {
    return new DelegationProbe(machine.host(), ScopeOffer.NONE).run(root);
  }

  private Machine v2(String own) throws IOException {
    return machine.mounts(CGROUP2).groups("0::" + own + "\n").root2(TOP, ALL);
  }

  private Place only(Delegation delegation) {
    assertThat(delegation.places()).hasSize(1);
    return delegation.places().getFirst();
  }

  private String read(String path) throws IOException {
    return Files.readString(machine.at(path));
  }

  @Test
  void groupOfOursAlone() throws IOException {
    v2("/a.scope").group2(TOP + "/a.scope", ALL, "4711\n5000\n5001\n");
    machine.process(5000, 4711).process(5001, 5000);
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.LEAF);
    assertThat(only(delegation).base()).isEqualTo(machine.at(TOP + "/a.scope"));
    assertThat(only(delegation).top()).isFalse();
    assertThat(only(delegation).writable()).isTrue();
    assertThat(delegation.absences()).isEmpty();
    assertThat(delegation.reason()).isEmpty();
  }

  @Test
  void groupWithAStranger() throws IOException {
    v2("/session").group2(TOP + "/session", ALL, "4000\n4711\n");
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.NONE);
    assertThat(delegation.reason().orElseThrow())
        .endsWith("/session holds processes that we did not start, such as pid 4000");
    assertThat(delegation.remedy().orElseThrow())
        .contains("systemd-run --user --scope -p Delegate=yes", "--cgroup-root");
    assertThatThrownBy(delegation::acquire)
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("pid 4000");
    machine.procFile("self/status", "Name:\tjava\nUid:\t0\t0\t0\t0\n");
    assertThat(probe().remedy().orElseThrow()).doesNotContain("--user", "as root");
  }

  @Test
  void strangerOfAnotherPidNamespace() throws IOException {
    v2("/a").group2(TOP + "/a", ALL, "0\n4711\n");
    assertThat(probe().reason().orElseThrow()).contains("outside of our pid namespace");
  }

  @Test
  void processThatEndedMeanwhile() throws IOException {
    v2("/a").group2(TOP + "/a", ALL, "4711\n6000\n");
    assertThat(probe().kind()).isEqualTo(Kind.LEAF);
  }

  @Test
  void inTheLeafAlready() throws IOException {
    v2("/a/holdfast.leaf")
        .group2(TOP + "/a", ALL, "")
        .group2(TOP + "/a/holdfast.leaf", "", "4000\n");
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.OWNED);
    assertThat(only(delegation).base()).isEqualTo(machine.at(TOP + "/a"));
    delegation.acquire();
    delegation.acquire();
    assertThat(read(TOP + "/a/cgroup.subtree_control")).isEqualTo("+cpu +io +memory +pids");
    assertThat(delegation.absences()).isEmpty();
  }

  @Test
  void onlyWhatIsMissingIsEnabled() throws IOException {
    v2("/a/holdfast.leaf").group2(TOP + "/a", "cpu memory pids", "");
    machine.file(TOP + "/a/cgroup.subtree_control", "memory pids\n");
    Delegation delegation = probe();
    delegation.acquire();
    assertThat(read(TOP + "/a/cgroup.subtree_control")).startsWith("+cpu").doesNotContain("+mem");
    assertThat(delegation.absences().get("io").reason())
        .endsWith("/a/cgroup.controllers offers only cpu memory pids");
    assertThat(delegation.absences().get("io").remedy())
        .contains("write +io to " + machine.at(TOP) + "/cgroup.subtree_control");
  }

  @Test
  void controllersAreThoseOfOurBaseAndNotOfTheMount() throws IOException {
    v2("/a/holdfast.leaf").group2(TOP + "/a", "memory pids", "");
    machine.procFile("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\nrdma\t0\t1\t0\n");
    Delegation delegation = probe();
    assertThat(only(delegation).controllers()).containsExactlyInAnyOrder("memory", "pids");
    assertThat(delegation.absence("memory")).isEmpty();
    assertThat(delegation.absence("hugetlb").orElseThrow().reason())
        .endsWith("/a/cgroup.controllers offers only memory pids");
    assertThat(delegation.absence("hugetlb").orElseThrow().remedy())
        .contains("write +hugetlb to " + machine.at(TOP) + "/cgroup.subtree_control");
    machine.root2(TOP, "memory pids");
    assertThat(probe().absence("rdma").orElseThrow().remedy()).contains("cgroup_disable=rdma");
    assertThat(delegation.toString()).contains("owned", "/a as it is");
  }

  @Test
  void controllersOfV1AreThoseOfTheHierarchy() throws IOException {
    machine.mounts(Machines.BUILDER.mounts()).groups(Machines.BUILDER.groups());
    machine.root2(TOP + "/unified", "hugetlb");
    for (String name : List.of("cpu", "cpuacct", "memory", "freezer", "pids")) {
      machine.root1(TOP + "/" + name);
    }
    Delegation delegation = probe();
    assertThat(delegation.places()).anyMatch(place -> place.controllers().equals(Set.of("cpu")));
    assertThat(delegation.absence("cpu")).isEmpty();
    assertThat(delegation.absence("hugetlb")).isEmpty();
    assertThat(delegation.absence("io").orElseThrow().reason()).contains("no io controller");
    // The memory hierarchy has no such group here.
    assertThat(delegation.absence("memory").orElseThrow().reason()).contains("is no control group");
  }

  @Test
  void nothingIsWrittenWhenNothingIsMissing() throws IOException {
    v2("/a/holdfast.leaf").group2(TOP + "/a", "memory", "");
    machine.file(TOP + "/a/cgroup.subtree_control", "memory\n");
    probe().acquire();
    assertThat(read(TOP + "/a/cgroup.subtree_control")).isEqualTo("memory\n");
  }

  @Test
  void realRoot() throws IOException {
    v2("/");
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.ROOT);
    assertThat(only(delegation).top()).isTrue();
    delegation.acquire();
    assertThat(read(TOP + "/cgroup.subtree_control")).contains("+memory");
    assertThat(Files.exists(machine.at(TOP + "/holdfast.leaf"))).isFalse();
  }

  @Test
  void rootOfANamespaceIsNoRoot() throws IOException {
    v2("/").group2(TOP, ALL, "4711\n");
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.LEAF);
    assertThat(only(delegation).top()).isFalse();
  }

  @Test
  void groupThatPassesControllersOnAlready() throws IOException {
    v2("/a").group2(TOP + "/a", ALL, "4000\n4711\n");
    machine.file(TOP + "/a/cgroup.subtree_control", "memory\n");
    assertThat(probe().kind()).isEqualTo(Kind.OWNED);
  }

  @Test
  void rootOfAThreadedSubtree() throws IOException {
    v2("/a").group2(TOP + "/a", ALL, "4711\n");
    machine.file(TOP + "/a/cgroup.subtree_control", "cpu pids\n");
    machine.file(TOP + "/a/cgroup.type", "domain threaded\n");
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.NONE);
    assertThat(delegation.reason().orElseThrow()).contains("\"domain threaded\"");
  }

  @Test
  void heldGroupIsNeverMadeThreaded() throws IOException {
    v2("/a").group2(TOP + "/a", ALL, "4711\n").group2(TOP + "/b", "cpu pids", "4000\n");
    Delegation delegation = probe(TOP + "/b");
    delegation.acquire();
    assertThat(read(TOP + "/b/cgroup.subtree_control")).isEmpty();
    assertThat(delegation.absences().get("cpu").reason()).contains("/b holds processes itself");
  }

  @Test
  void readOnlyMount() throws IOException {
    machine.mounts(Machines.CONTAINER.mounts()).groups("0::/\n").group2(TOP, ALL, "4711\n");
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.NONE);
    assertThat(delegation.reason().orElseThrow()).endsWith("/sys/fs/cgroup is mounted read-only");
    assertThat(only(delegation).writable()).isFalse();
  }

  @Test
  void ownGroupOutside() throws IOException {
    machine.mounts(CGROUP2).groups("0::/../x\n").root2(TOP, ALL);
    assertThat(probe().reason().orElseThrow()).contains("/../x lies outside");
    machine.groups("0::/gone\n");
    assertThat(probe().reason().orElseThrow()).contains("/gone is no control group");
  }

  @Test
  void builderWithHybridGroups() throws IOException {
    machine.mounts(Machines.BUILDER.mounts()).groups(Machines.BUILDER.groups());
    machine.root2(TOP + "/unified", "hugetlb");
    for (String name : List.of("cpu", "cpuacct", "memory", "freezer", "pids")) {
      machine.root1(TOP + "/" + name);
    }
    machine.group1(TOP + "/memory/process_api/9903bea3363b4b4c04b480e9c71df891");
    Delegation delegation = probe();
    // Not every place is a root: that of memory is below it.
    assertThat(delegation.kind()).isEqualTo(Kind.OWNED);
    assertThat(delegation.places()).hasSize(6).allMatch(Place::writable);
    assertThat(delegation.places().getFirst().hierarchy().unified()).isTrue();
    assertThat(delegation.places().stream().filter(place -> !place.top()))
        .extracting(Place::base)
        .containsExactly(machine.at(TOP + "/memory/process_api/9903bea3363b4b4c04b480e9c71df891"));
    assertThat(delegation.absences()).containsOnlyKeys("io");
    machine.groups(Machines.BUILDER.groups().replaceAll("memory:.*", "memory:/"));
    assertThat(probe().kind()).isEqualTo(Kind.ROOT);
  }

  @Test
  void hybridSessionNeedsNoLeaf() throws IOException {
    String session = "/user.slice/user-0.slice/session-3.scope";
    machine.mounts(Machines.HYBRID.mounts()).groups(Machines.HYBRID.groups());
    machine.root2(TOP + "/unified", "").group2(TOP + "/unified" + session, "", "4000\n4711\n");
    machine.root1(TOP + "/net_cls,net_prio").root1(TOP + "/cpu,cpuacct").root1(TOP + "/freezer");
    machine.group1(TOP + "/pids" + session);
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.OWNED);
    // The memory hierarchy has no such group here: it drops out, alone.
    assertThat(delegation.absences().get("memory").reason()).contains("is no control group");
    assertThat(delegation.absences()).doesNotContainKeys("cpu", "pids");
    delegation.acquire();
    assertThat(read(TOP + "/unified" + session + "/cgroup.subtree_control")).isEmpty();
  }

  @Test
  void legacyNeedsAFreezer() throws IOException {
    machine.mounts(Machines.LEGACY.mounts()).groups(Machines.LEGACY.groups());
    machine.root1(TOP + "/cpu,cpuacct").root1(TOP + "/freezer").root1(TOP + "/memory");
    machine.group1(TOP + "/memory/with:colons and blanks:x");
    assertThat(probe().kind()).isEqualTo(Kind.OWNED);
    machine.groups("4:cpu,cpuacct:/\n3:freezer:/\n2:memory:/\n");
    assertThat(probe().kind()).isEqualTo(Kind.ROOT);
    machine.groups("4:cpu,cpuacct:/\n2:memory:/\n");
    assertThat(probe().kind()).isEqualTo(Kind.NONE);
    assertThat(probe().reason()).contains("this kernel has no freezer controller");
  }

  @Test
  void machineWithoutControlGroups() throws IOException {
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.NONE);
    assertThat(delegation.reason()).contains("no control groups are mounted here");
    assertThat(delegation.absences()).containsKey("memory");
  }

  @Test
  void explicitRootInEveryHierarchy() throws IOException {
    machine.mounts(Machines.BUILDER.mounts()).groups(Machines.BUILDER.groups());
    machine.root2(TOP + "/unified", "").group2(TOP + "/unified/mine", "", "");
    machine
        .root1(TOP + "/cpu")
        .root1(TOP + "/cpuacct")
        .root1(TOP + "/freezer")
        .root1(TOP + "/pids");
    machine.group1(TOP + "/memory/mine").group1(TOP + "/pids/mine");
    Files.createSymbolicLink(machine.at("/link"), machine.at(TOP + "/memory"));
    for (String given : List.of(TOP + "/unified/mine", "/link/mine")) {
      Delegation delegation = probe(given);
      assertThat(delegation.kind()).isEqualTo(Kind.EXPLICIT);
      assertThat(delegation.places())
          .extracting(Place::base)
          .containsExactlyInAnyOrder(
              machine.at(TOP + "/unified/mine"),
              machine.at(TOP + "/memory/mine"),
              machine.at(TOP + "/pids/mine"),
              machine.at(TOP + "/cpu"),
              machine.at(TOP + "/cpuacct"),
              machine.at(TOP + "/freezer"));
    }
  }

  @Test
  void explicitRootThatIsNone() throws IOException {
    v2("/a").group2(TOP + "/a", ALL, "4711\n").file("/elsewhere/file", "");
    assertThatThrownBy(() -> probe("/elsewhere"))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("/elsewhere: it is no control group of a mounted hierarchy");
    assertThatThrownBy(() -> probe(TOP + "/gone"))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("mkdir");
    Files.createDirectories(machine.at(TOP + "/a/nogroup"));
    assertThatThrownBy(() -> probe(TOP + "/a/nogroup")).isInstanceOf(HoldfastException.class);
    assertThatThrownBy(() -> probe("/sys/fs")).isInstanceOf(HoldfastException.class);
  }

  @Test
  void explicitRootThatIsOurOwnGroupNeedsTheLeafToo() throws IOException {
    v2("/a").group2(TOP + "/a", ALL, "4000\n4711\n");
    assertThat(probe(TOP + "/a").kind()).isEqualTo(Kind.NONE);
    machine.file(TOP + "/a/cgroup.procs", "4711\n");
    assertThat(probe(TOP + "/a").kind()).isEqualTo(Kind.EXPLICIT);
  }

  @Test
  void probingChangesNothing() throws IOException {
    v2("/a").group2(TOP + "/a", ALL, "4711\n");
    Map<String, String> before = snapshot();
    assertThat(probe().kind()).isEqualTo(Kind.LEAF);
    assertThat(snapshot()).isEqualTo(before);
  }

  private Map<String, String> snapshot() throws IOException {
    Map<String, String> all = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.toList()) {
        all.put(path.toString(), Files.isRegularFile(path) ? Files.readString(path) : "");
      }
    }
    return all;
  }
}
