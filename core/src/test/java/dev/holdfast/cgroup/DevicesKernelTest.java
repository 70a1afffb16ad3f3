package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.linux.Bpf;
import dev.holdfast.linux.Descriptor;
import dev.holdfast.linux.Directory;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.OpenFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Devices are refused to the members of a group, by v1's controller or by a program on v2. */
@EveryKernel
@Needs({Feature.ROOT, Feature.DEVICES})
@Timeout(120)
class DevicesKernelTest {
  private static final int READ = 0;
  private static final int WRITE = 1;
  private static final int READ_WRITE = 2;
  private static final List<Integer> MINORS = List.of(3, 5, 7, 9);
  private static final List<String> PATHS =
      List.of("/dev/null", "/dev/zero", "/dev/full", "/dev/urandom");

  @TempDir Path temp;
  private Cgroup group;
  private Inside inside;

  @BeforeEach
  void make() throws Exception {
    group = LivePlaces.make();
    inside = Inside.start();
    group.attach(inside.pid());
    for (String path : PATHS) {
      assertThat(inside.open(path, READ_WRITE)).as(path).isEqualTo("ok");
    }
  }

  @AfterEach
  void clean() throws Exception {
    inside.close();
    group.close();
  }

  private AppliedLimit apply(String... rules) throws HoldfastException {
    return group.apply(Limits.builder().devices(List.of(rules)).build(), false).getFirst();
  }

  @Test
  void aDeniedDeviceIsRefusedAndAnAllowedOneIsNot() throws Exception {
    AppliedLimit row = apply("!c 1:3 rwm", "!/dev/zero w");
    assertThat(row.isEnforced()).isTrue();
    assertThat(row.requested()).contains("!c 1:3 rwm, !/dev/zero w");
    assertThat(row.effective().orElseThrow()).hasToString("a *:* rwm, !c 1:3 rwm, !c 1:5 w");
    boolean v1 = LivePlaces.isV1(group, "devices");
    assertThat(row.by()).contains(v1 ? "devices.deny" : "BPF_CGROUP_DEVICE");

    assertThat(inside.open("/dev/null", READ)).isEqualTo("EPERM");
    assertThat(inside.open("/dev/null", WRITE)).isEqualTo("EPERM");
    assertThat(inside.open("/dev/zero", READ)).isEqualTo("ok");
    assertThat(inside.open("/dev/zero", READ_WRITE)).isEqualTo("EPERM");
    assertThat(inside.open("/dev/full", READ_WRITE)).isEqualTo("ok");
    assertThat(inside.make(temp.resolve("null").toString(), 'c', 1, 3)).isEqualTo("EPERM");
    assertThat(inside.make(temp.resolve("zero").toString(), 'c', 1, 5)).isEqualTo("ok");
    assertThat(inside.make(temp.resolve("disk").toString(), 'b', 1, 3)).isEqualTo("ok");
  }

  @Test
  void aListOfAllowedDevicesIsAll() throws Exception {
    AppliedLimit row = apply("!a *:* rwm", "c *:* m", "c 1:5 r", "c 1:7 rw");
    assertThat(row.effective().orElseThrow())
        .hasToString("!a *:* rwm, c *:* m, c 1:5 rm, c 1:7 rwm");
    boolean v1 = LivePlaces.isV1(group, "devices");
    assertThat(row.by()).contains(v1 ? "devices.list" : "BPF_CGROUP_DEVICE");

    assertThat(inside.open("/dev/null", READ)).isEqualTo("EPERM");
    assertThat(inside.open("/dev/zero", READ)).isEqualTo("ok");
    assertThat(inside.open("/dev/zero", WRITE)).isEqualTo("EPERM");
    assertThat(inside.open("/dev/full", READ_WRITE)).isEqualTo("ok");
    assertThat(inside.make(temp.resolve("null").toString(), 'c', 1, 3)).isEqualTo("ok");
    assertThat(inside.make(temp.resolve("disk").toString(), 'b', 1, 3)).isEqualTo("EPERM");
  }

  /** Each policy takes the place of the one before it, in whatever order they come. */
  @Test
  void aRunningGroupChanges() throws Exception {
    changes(policy -> {
      AppliedLimit row = group.apply(Limits.builder().devices(policy).build(), false).getFirst();
      assertThat(row.effective()).contains(new LimitValue.Devices(policy));
    });
  }

  /** On hybrid hosts too, where v1's controller is preferred. */
  @Test
  @Needs({Feature.CGROUP_V2, Feature.CGROUP_BPF})
  void aRunningGroupChangesOnV2() throws Exception {
    try (Directory unified = Directory.open(group.unifiedDirectory().orElseThrow())) {
      DevicesV2 devices = new DevicesV2(unified);
      changes(policy -> {
        devices.set(policy);
        assertThat(Bpf.query(unified, Bpf.ATTACH_DEVICE)).hasSize(1);
      });
    }
  }

  @FunctionalInterface
  private interface Setter {
    void set(DevicePolicy policy) throws IOException;
  }

  private void changes(Setter setter) throws IOException {
    long seed = Long.getLong("holdfast.seed", System.nanoTime());
    System.out.println("DevicesKernelTest: -Dholdfast.seed=" + seed);
    Random random = new Random(seed);
    int denied = 0;
    int rounds = 40;
    for (int round = 0; round < rounds; round++) {
      DevicePolicy policy = policy(random);
      setter.set(policy);
      for (int i = 0; i < PATHS.size(); i++) {
        for (int flags : List.of(READ, WRITE, READ_WRITE)) {
          boolean allowed =
              policy.allows(DeviceRule.Type.CHARACTER, 1, MINORS.get(i), access(flags));
          assertThat(inside.open(PATHS.get(i), flags))
              .as("%s of %s under %s", flags, PATHS.get(i), policy)
              .isEqualTo(allowed ? "ok" : "EPERM");
          denied += allowed ? 0 : 1;
        }
      }
    }
    int asked = rounds * PATHS.size() * 3;
    assertThat(denied).isBetween(asked / 10, asked * 9 / 10);
  }

  private static Set<DeviceRule.Access> access(int flags) {
    return switch (flags) {
      case READ -> Set.of(DeviceRule.Access.READ);
      case WRITE -> Set.of(DeviceRule.Access.WRITE);
      default -> Set.of(DeviceRule.Access.READ, DeviceRule.Access.WRITE);
    };
  }

  private static DevicePolicy policy(Random random) {
    List<DeviceRule> rules = new ArrayList<>();
    boolean allow = random.nextBoolean();
    for (int count = random.nextInt(5); count > 0; count--) {
      String minor =
          random.nextInt(8) == 0 ? "*" : MINORS.get(random.nextInt(MINORS.size())).toString();
      String access = List.of("r", "w", "rw", "rwm").get(random.nextInt(4));
      rules.add(DeviceRule.parse((allow ? "!" : "") + "c 1:" + minor + " " + access));
    }
    return (allow ? DevicePolicy.ALLOW_ALL : DevicePolicy.DENY_ALL).with(rules);
  }

  /** What is denied before and after a change is denied all the time. */
  @Test
  void aChangeOpensNothing() throws Exception {
    List<List<String>> lists =
        List.of(List.of("!a", "c 1:3 rw"), List.of("!a", "c *:* m"), List.of("!a", "c 1:5 rw"));
    List<List<String>> denials =
        List.of(
            List.of("!c 1:7 rwm"),
            List.of("!c 1:* rwm"),
            List.of("!c 1:7 rw", "!c 1:3 rw"),
            List.of("!c 1:5 rw", "!c 1:7 r"));
    for (List<List<String>> alike : List.of(lists, denials)) {
      apply(alike.getFirst().toArray(String[]::new));
      AtomicInteger tries = new AtomicInteger();
      AtomicInteger opened = new AtomicInteger();
      AtomicBoolean enough = new AtomicBoolean();
      Thread looker =
          Thread.ofPlatform()
              .start(() -> {
                while (!enough.get()) {
                  opened.addAndGet(inside.open("/dev/full", READ).equals("ok") ? 1 : 0);
                  tries.incrementAndGet();
                }
              });
      try {
        for (int i = 0; i < 300 || tries.get() < 300; i++) {
          apply(alike.get(i % alike.size()).toArray(String[]::new));
        }
      } finally {
        enough.set(true);
        looker.join();
      }
      assertThat(opened).hasValue(0);
    }
    // Else this would see nothing.
    apply();
    assertThat(inside.open("/dev/full", READ)).isEqualTo("ok");
  }

  @Test
  void nestedGroupsAreBounded() throws Exception {
    apply("!/dev/null rwm");
    try (Cgroup nested = nested()) {
      nested.attach(inside.pid());
      assertThat(inside.open("/dev/null", READ)).isEqualTo("EPERM");
      nested.apply(Limits.builder().devices(List.of("!/dev/zero r")).build(), false);
      assertThat(inside.open("/dev/null", READ)).isEqualTo("EPERM");
      assertThat(inside.open("/dev/zero", READ)).isEqualTo("EPERM");
      assertThat(inside.open("/dev/full", READ)).isEqualTo("ok");
      nested.kill(Duration.ofSeconds(10));
    }
  }

  private Cgroup nested() throws HoldfastException {
    Cgroup nested = group.create("nested");
    nested.use(Set.of("devices"));
    return nested;
  }

  @Test
  @Needs(Feature.DEVICES_V1)
  void belowAListOfDevicesV1HasNoMore() throws Exception {
    apply("!a", "c 1:3 rwm", "c 1:5 rwm");
    try (Cgroup nested = nested()) {
      nested.attach(inside.pid());
      AppliedLimit row =
          nested.apply(Limits.builder().devices(List.of("!/dev/zero w")).build(), false).getFirst();
      assertThat(row.effective().orElseThrow()).hasToString("!a *:* rwm, c 1:3 rwm, c 1:5 rm");
      assertThat(inside.open("/dev/null", READ_WRITE)).isEqualTo("ok");
      assertThat(inside.open("/dev/zero", READ)).isEqualTo("ok");
      assertThat(inside.open("/dev/zero", WRITE)).isEqualTo("EPERM");
      assertThat(inside.open("/dev/full", READ)).isEqualTo("EPERM");

      assertThatThrownBy(() ->
              nested.apply(Limits.builder().devices(List.of("!a", "/dev/full r")).build(), false))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("the kernel refuses \"c 1:7 r\": write")
          .hasMessageContaining("EPERM")
          .hasMessageContaining("ask for no device that the group above does not allow");
      // The kernel takes the default of a group only while nothing is nested in it.
      assertThatThrownBy(() -> apply())
          .hasMessageContaining("v1 changes the default for devices only while no group is nested")
          .hasMessageContaining("EINVAL");
      assertThat(group.apply(Limits.builder().devices(DevicePolicy.ALLOW_ALL).build(), true))
          .singleElement()
          .matches(unenforced -> !unenforced.isEnforced());
      nested.kill(Duration.ofSeconds(10));
    }
  }

  /** Programs that others have put on the group stay, and what they deny stays denied. */
  @Test
  @Needs({Feature.CGROUP_V2, Feature.CGROUP_BPF})
  void onlyOurOwnProgramIsReplaced() throws Exception {
    try (Directory unified = Directory.open(group.unifiedDirectory().orElseThrow());
        Descriptor foreign = load("somebody", "!/dev/full rw");
        Descriptor stale = load("holdfast_device", "!/dev/null rw");
        Descriptor older = load("holdfast_device", "!/dev/zero rw")) {
      Bpf.attach(unified, Bpf.ATTACH_DEVICE, stale);
      Bpf.attach(unified, Bpf.ATTACH_DEVICE, foreign);
      Bpf.attach(unified, Bpf.ATTACH_DEVICE, older);
      for (String path : List.of("/dev/null", "/dev/zero", "/dev/full")) {
        assertThat(inside.open(path, READ)).isEqualTo("EPERM");
      }
      for (int times = 0; times < 2; times++) {
        new DevicesV2(unified)
            .set(DevicePolicy.ALLOW_ALL.with(List.of(DeviceRule.parse("!/dev/urandom w"))));
        assertThat(Bpf.query(unified, Bpf.ATTACH_DEVICE))
            .hasSize(2)
            .contains(Bpf.info(foreign).id());
        assertThat(inside.open("/dev/null", READ)).isEqualTo("ok");
        assertThat(inside.open("/dev/zero", READ)).isEqualTo("ok");
        assertThat(inside.open("/dev/full", READ)).isEqualTo("EPERM");
        assertThat(inside.open("/dev/urandom", WRITE)).isEqualTo("EPERM");
      }
    }
  }

  private static Descriptor load(String name, String rule) throws IOException {
    return Bpf.load(
        Bpf.PROGRAM_DEVICE,
        DeviceProgram.of(DevicePolicy.ALLOW_ALL.with(List.of(DeviceRule.parse(rule)))),
        name);
  }

  /** Nothing of ours keeps the program, so it ends with the group. */
  @Test
  @Needs({Feature.CGROUP_V2, Feature.CGROUP_BPF})
  void theProgramIsTheGroups() throws Exception {
    Path before = group.unifiedDirectory().orElseThrow();
    try (Directory unified = Directory.open(before)) {
      new DevicesV2(unified).set(DevicePolicy.DENY_ALL);
      int id = Bpf.query(unified, Bpf.ATTACH_DEVICE)[0];
      assertThat(OpenFiles.targets().toString()).doesNotContain("bpf-prog");
      inside.close();
      group.close();
      assertThat(before).doesNotExist();
      Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> isGone(id));
    }
  }

  private static boolean isGone(int id) {
    try (Descriptor program = Bpf.open(id)) {
      return !program.isOpen();
    } catch (IOException gone) {
      return true;
    }
  }
}
