package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.holdfast.cgroup.Delegation.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When somebody is asked for a part of the tree, and when not. */
class ScopeOfferTest {
  private static final String TOP = "/sys/fs/cgroup";
  private static final String ALL = "cpu io memory pids";
  private static final String CGROUP2 = "31 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  private static final String UNIT = TOP + "/system.slice/a.service";

  @TempDir Path folder;
  private Machine machine;
  private Optional<Absence> obstacle = Optional.empty();
  private final List<String> asked = new ArrayList<>();

  private final ScopeManager manager =
      new ScopeManager() {
        @Override
        public String whom() {
          return "somebody";
        }

        @Override
        public Optional<Absence> obstacle() {
          asked.add("obstacle");
          return obstacle;
        }

        @Override
        public String create(String name, int pid) throws HoldfastException {
          asked.add("create " + name + " " + pid);
          throw new HoldfastException("no scope", "somebody is tired", "wait", null);
        }

        @Override
        public void attach(String scope, String below, int pid) {
          throw new AssertionError();
        }
      };

  @BeforeEach
  void makeMachine() throws IOException {
    machine = new Machine(folder);
  }

  private Delegation probe() throws IOException {
    return probe(Optional.empty());
  }

  private Delegation probe(Optional<Path> root) throws IOException {
    return new DelegationProbe(machine.host(), new ScopeOffer(List.of(manager), machine.at("/run")))
        .run(root);
  }

  /** In a group of its own, with processes besides us. */
  private void inService(String processes) throws IOException {
    machine.mounts(CGROUP2).groups("0::/system.slice/a.service\n").root2(TOP, ALL);
    machine.group2(TOP + "/system.slice", ALL, "").group2(UNIT, ALL, processes);
  }

  private void mark(String name) {
    try {
      Files.setAttribute(machine.at(UNIT), "user:" + name, new byte[] {'1'});
    } catch (IOException | UnsupportedOperationException refused) {
      abort("this file system takes no extended attributes: " + refused);
    }
  }

  @Test
  void whereNothingIsOurs() throws IOException {
    inService("4000\n4711\n");
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.SYSTEMD);
    assertThat(delegation.why())
        .contains("holds processes that we did not start, such as pid 4000")
        .endsWith("; somebody gives us a scope");
    assertThat(delegation.reason()).isEmpty();
    assertThat(delegation.absences()).isEmpty();
    assertThat(delegation.places()).hasSize(1).noneMatch(Place::writable);
    // To look is not to ask.
    assertThat(asked).containsExactly("obstacle");
  }

  @Test
  void whatItRefusesIsTold() throws IOException {
    inService("4000\n4711\n");
    Delegation delegation = probe();
    assertThatThrownBy(delegation::acquire)
        .isInstanceOf(HoldfastException.class)
        .hasMessage("no scope: somebody is tired (wait)");
    assertThat(asked.getLast()).matches("create holdfast-[0-9]+-[0-9a-f]+ [0-9]+");
    int holder = Integer.parseInt(asked.getLast().replaceAll(".* ", ""));
    org.awaitility.Awaitility.await("the end of the process for it")
        .until(() -> ProcessHandle.of(holder).filter(ProcessHandle::isAlive).isEmpty());
  }

  @Test
  void whyItCannotBeAsked() throws IOException {
    inService("4000\n4711\n");
    obstacle = Optional.of(new Absence("somebody is out", "call later"));
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.NONE);
    assertThat(delegation.reason().orElseThrow()).endsWith("pid 4000; somebody is out");
    assertThat(delegation.remedy().orElseThrow())
        .contains("--cgroup-root")
        .endsWith(", or call later");
    obstacle = Optional.of(new Absence("nobody is there", ""));
    assertThat(probe().remedy().orElseThrow()).endsWith("with --cgroup-root");
  }

  @Test
  void nobodyIsAskedWhereOurGroupIsOursAlone() throws IOException {
    inService("4711\n");
    assertThat(probe().kind()).isEqualTo(Kind.LEAF);
    assertThat(asked).isEmpty();
    mark("invocation_id");
    mark("delegate");
    assertThat(probe().kind()).isEqualTo(Kind.LEAF);
    assertThat(asked).isEmpty();
  }

  @Test
  void aUnitThatIsNotDelegatedStaysSystemds() throws IOException {
    inService("4711\n");
    mark("invocation_id");
    Delegation delegation = probe();
    assertThat(delegation.kind()).isEqualTo(Kind.SYSTEMD);
    assertThat(delegation.why()).contains("a.service is a unit that systemd has not delegated");
    // Better than nothing: the kernel enforces limits there all the same.
    obstacle = Optional.of(new Absence("somebody is out", "call later"));
    assertThat(probe().kind()).isEqualTo(Kind.LEAF);
    assertThat(probe().why()).contains("not delegated to us").endsWith("somebody is out");
  }

  @Test
  void aGroupInAUnitBelongsToTheUnit() throws IOException {
    inService("1\n");
    mark("invocation_id");
    machine.groups("0::/system.slice/a.service/b\n").group2(UNIT + "/b", ALL, "4711\n");
    assertThat(probe().kind()).isEqualTo(Kind.SYSTEMD);
    mark("delegate");
    assertThat(probe().kind()).isEqualTo(Kind.LEAF);
  }

  /** A user's systemd marks no units, and ends a service of which a member runs out of memory. */
  @ParameterizedTest
  @CsvSource({
    "app.slice/a.service, SYSTEMD",
    "app.slice/app-b.slice/a.service, SYSTEMD",
    "a.service/b, SYSTEMD",
    "app.slice/a.scope, LEAF",
    "app.slice/a.scope/b.service, LEAF",
    "init.scope, LEAF"
  })
  void aServiceOfAUsersSystemd(String below, Kind kind) throws IOException {
    String own = "/user.slice/user-7.slice/user@7.service/" + below;
    machine.mounts(CGROUP2).groups("0::" + own + "\n").root2(TOP, ALL);
    machine.group2(TOP + own, ALL, "4711\n");
    assertThat(probe().kind()).isEqualTo(kind);
    assertThat(probe().why().contains("a.service is a service of a user's systemd"))
        .isEqualTo(kind == Kind.SYSTEMD);
    obstacle = Optional.of(new Absence("somebody is out", "call later"));
    assertThat(probe().kind()).isEqualTo(Kind.LEAF);
  }

  /** What a user's systemd was asked for when it made a unit it writes down. */
  @ParameterizedTest
  @CsvSource({
    "a.scope, '[Scope]|Delegate=yes', LEAF",
    "a.scope, '[Scope]|Delegate=cpu memory', LEAF",
    "a.scope, '[Unit]|Description=Delegate=yes||[Scope]', SYSTEMD",
    "a.scope, '[Scope]|Delegate=no', SYSTEMD",
    "a.scope, '[Scope]|DelegateSubgroup=b|Delegate=', SYSTEMD",
    "a.service, '[Service]|Delegate=yes', LEAF",
    "a.service, '[Service]|Type=simple', SYSTEMD"
  })
  void aTransientUnitOfAUsersSystemd(String unit, String written, Kind kind) throws IOException {
    String own = "/user.slice/user-7.slice/user@7.service/app.slice/" + unit;
    machine.mounts(CGROUP2).groups("0::" + own + "\n").root2(TOP, ALL);
    machine.group2(TOP + own, ALL, "4711\n");
    machine.file("/run/user/7/systemd/transient/" + unit, written.replace('|', '\n') + "\n");
    assertThat(probe().kind()).isEqualTo(kind);
  }

  @Test
  void aScopeThatWeCouldNotSeeIsOfNoUse() throws IOException {
    // The root of a namespace.
    machine.mounts(CGROUP2).groups("0::/\n").group2(TOP, ALL, "4000\n4711\n");
    assertThat(probe().kind()).isEqualTo(Kind.NONE);
    machine.mounts(CGROUP2.replace(" rw -", " ro -"));
    assertThat(probe().kind()).isEqualTo(Kind.NONE);
    assertThat(probe().reason().orElseThrow()).endsWith("mounted read-only");
    assertThat(asked).isEmpty();
  }

  @Test
  void whoNamesAGroupGetsNoOther() throws IOException {
    inService("4000\n4711\n");
    assertThat(probe(Optional.of(machine.at(UNIT))).kind()).isEqualTo(Kind.NONE);
    assertThat(asked).isEmpty();
  }

  @Test
  void aBrokenServiceIsNoEndOfTheWorld() throws IOException {
    inService("4000\n4711\n");
    obstacle = Optional.empty();
    ScopeManager broken =
        (ScopeManager)
            java.lang.reflect.Proxy.newProxyInstance(
                ScopeManager.class.getClassLoader(),
                new Class<?>[] {ScopeManager.class},
                (proxy, method, arguments) -> {
                  throw new ServiceConfigurationError("of another time");
                });
    Delegation delegation =
        new DelegationProbe(machine.host(), new ScopeOffer(List.of(broken), machine.at("/run")))
            .run(Optional.empty());
    assertThat(delegation.kind()).isEqualTo(Kind.NONE);
    assertThat(delegation.reason().orElseThrow()).contains("of another time");
  }
}
