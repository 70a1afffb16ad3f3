package dev.holdfast.systemd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.cgroup.HoldfastException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.freedesktop.dbus.DBusPath;
import org.freedesktop.dbus.types.UInt32;
import org.freedesktop.dbus.types.Variant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is said to a systemd, and what is made of its answers. */
@Timeout(60)
class SystemdScopesTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final int PID = 4321;

  @TempDir Path top;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final String user = String.valueOf(uid());

  @BeforeEach
  void makeMachine() throws Exception {
    Files.createDirectories(top.resolve("run/systemd/system"));
    Files.createDirectories(top.resolve("proc/self"));
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    Awaitility.await("threads that talk")
        .until(() ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("holdfast-systemd")));
  }

  @Test
  void asksForADelegatedScopeAndWaitsForItsJob() throws Exception {
    FakeBus bus = bus(FakeBus::usual);
    assertThat(scopes(LONG).create("holdfast-1", PID)).isEqualTo("holdfast-1.scope");
    assertThat(bus.members())
        .containsExactly(
            "Hello", "GetConnectionUnixProcessID", "AddMatch", "Subscribe", "StartTransientUnit");
    assertThat(bus.calls().get(1).arguments()).containsExactly(":1.5");
    assertThat(String.valueOf(bus.calls().get(2).arguments().getFirst())).contains("JobRemoved");
    List<Object> start = bus.calls().getLast().arguments();
    assertThat(start.subList(0, 2)).containsExactly("holdfast-1.scope", "fail");
    Map<String, String> properties = properties(start.get(2));
    assertThat(properties)
        .containsEntry("Delegate", "true")
        .containsEntry("Slice", user.equals("0") ? "system.slice" : "app.slice")
        .containsEntry("CollectMode", "inactive-or-failed")
        .containsEntry("TasksMax", "18446744073709551615")
        .containsEntry("PIDs", "[" + PID + "]")
        .containsKey("Description");
    assertThat(bus.failures()).isEmpty();
  }

  @Test
  void asksForAProcessToBeMoved() throws Exception {
    FakeBus bus = bus(FakeBus::usual);
    scopes(LONG).attach("holdfast-1.scope", "/jobs/a", PID);
    assertThat(bus.calls().getLast().member()).isEqualTo("AttachProcessesToUnit");
    assertThat(bus.calls().getLast().arguments().subList(0, 2))
        .containsExactly("holdfast-1.scope", "/jobs/a");
    assertThat(numbers(bus.calls().getLast().arguments().get(2))).isEqualTo("[" + PID + "]");
  }

  @Test
  void itsJobMayEndBeforeItsAnswerAndBesideOthers() throws Exception {
    bus(
        answering(
            "StartTransientUnit",
            (bus, call) -> {
              bus.removed("/org/freedesktop/systemd1/job/3", "failed");
              bus.removed(FakeBus.JOB, "done");
              bus.reply(call, "o", new DBusPath(FakeBus.JOB));
            }));
    assertThat(scopes(LONG).create("a", PID)).isEqualTo("a.scope");
  }

  @Test
  void aJobThatFailsIsTold() throws Exception {
    bus(
        answering(
            "StartTransientUnit",
            (bus, call) -> {
              bus.reply(call, "o", new DBusPath(FakeBus.JOB));
              bus.removed(FakeBus.JOB, "dependency");
            }));
    HoldfastException failure = failure(LONG);
    assertThat(failure.what()).isEqualTo("cannot get the scope a.scope for the jobs");
    assertThat(failure.why()).contains("a.scope ended as dependency");
    assertThat(failure.remedy()).contains("systemctl").contains("status a.scope");
  }

  @Test
  void aRefusalIsToldWithItsNameAndARemedy() throws Exception {
    FakeBus bus =
        bus(
            answering(
                "StartTransientUnit",
                (fake, call) ->
                    fake.error(call, "org.freedesktop.DBus.Error.AccessDenied", "not you")));
    HoldfastException failure = failure(LONG);
    assertThat(failure.why())
        .contains("not you")
        .contains("org.freedesktop.DBus.Error.AccessDenied")
        .contains("system_bus_socket");
    assertThat(failure.remedy()).contains("policy");
    assertThat(bus.members()).containsOnlyOnce("StartTransientUnit");
  }

  @Test
  void aFailedUnitOfTheSameNameIsForgottenOnce() throws Exception {
    AtomicInteger tries = new AtomicInteger();
    FakeBus bus =
        bus(
            answering(
                "StartTransientUnit",
                (fake, call) -> {
                  if (tries.getAndIncrement() == 0) {
                    fake.error(call, "org.freedesktop.systemd1.UnitExists", "it is there");
                  } else {
                    fake.usual(call);
                  }
                }));
    assertThat(scopes(LONG).create("a", PID)).isEqualTo("a.scope");
    assertThat(bus.members())
        .endsWith("StartTransientUnit", "ResetFailedUnit", "StartTransientUnit");
  }

  @Test
  void aLivingUnitOfTheSameNameIsLeftAlone() throws Exception {
    FakeBus bus =
        bus(
            answering(
                "StartTransientUnit",
                (fake, call) ->
                    fake.error(call, "org.freedesktop.systemd1.UnitExists", "it is there")));
    assertThat(failure(LONG).why()).contains("UnitExists");
    assertThat(bus.members().stream().filter("StartTransientUnit"::equals)).hasSize(2);
  }

  @Test
  void whatHangsIsTold() throws Exception {
    bus((bus, call) -> {
      if (call.getName().equals("StartTransientUnit")) {
        bus.reply(call, "o", new DBusPath(FakeBus.JOB));
        bus.removed("/another", "done");
      } else if (!call.getName().equals("Subscribe") || isPatient) {
        bus.usual(call);
      }
    });
    Duration limit = Duration.ofSeconds(1);
    isPatient = true;
    assertThat(failure(limit).why())
        .contains("after 1 s")
        .contains("the end of its job for a.scope");
    isPatient = false;
    HoldfastException failure = failure(limit);
    assertThat(failure.why()).contains("its answer to Subscribe");
    assertThat(failure.remedy()).contains("list-jobs");
  }

  private volatile boolean isPatient;

  @Test
  void aSocketThatSaysNothingIsTold() throws Exception {
    Path socket = socket();
    Files.createDirectories(socket.getParent());
    ServerSocketChannel mute = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    open.add(mute);
    mute.bind(UnixDomainSocketAddress.of(socket));
    long begin = System.nanoTime();
    assertThat(failure(Duration.ofSeconds(1)).why()).contains("a connection over " + socket);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
  }

  @Test
  void aBusWithoutSystemdIsPassedOver() throws Exception {
    FakeBus bus =
        bus((fake, call) -> {
          if (call.getName().equals("Subscribe")) {
            fake.error(call, "org.freedesktop.DBus.Error.ServiceUnknown", "who?");
          } else {
            fake.usual(call);
          }
        });
    assertThat(failure(LONG).why()).contains("ServiceUnknown");
    FakeBus direct = new FakeBus(top.resolve("run/systemd/private"), FakeBus::usual);
    open.add(direct);
    assertThat(scopes(LONG).create("a", PID)).isEqualTo("a.scope");
    // Over its own socket there is nobody to greet, and signals come unasked.
    assertThat(direct.members()).containsExactly("StartTransientUnit");
    assertThat(bus.members()).doesNotContain("StartTransientUnit");
  }

  @Test
  void aDeadSocketIsPassedOver() throws Exception {
    Path socket = socket();
    Files.createDirectories(socket.getParent());
    ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        .bind(UnixDomainSocketAddress.of(socket))
        .close();
    assertThat(failure(LONG).why()).contains("cannot be asked at " + socket).contains("refused");
    open.add(new FakeBus(top.resolve("run/systemd/private"), FakeBus::usual));
    assertThat(scopes(LONG).create("a", PID)).isEqualTo("a.scope");
  }

  @Test
  void whereOurNumbersAreOthersNothingIsMoved() throws Exception {
    FakeBus bus =
        bus(
            answering(
                "GetConnectionUnixProcessID",
                (fake, call) -> fake.reply(call, "u", new UInt32(1))));
    assertThat(failure(LONG).remedy()).contains("container");
    assertThat(bus.members()).doesNotContain("StartTransientUnit");
  }

  @Test
  void anInterruptEndsTheWaitAndIsKept() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    bus(answering("StartTransientUnit", (fake, call) -> asked.countDown()));
    Thread waiting = Thread.currentThread();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            asked.await();
          } catch (InterruptedException never) {
            return;
          }
          waiting.interrupt();
        });
    HoldfastException failure = failure(LONG);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(failure.why()).contains("interrupted").contains("StartTransientUnit");
  }

  private static FakeBus.Script answering(String member, FakeBus.Script script) {
    return (bus, call) -> {
      if (call.getName().equals(member)) {
        script.answer(bus, call);
      } else {
        bus.usual(call);
      }
    };
  }

  private FakeBus bus(FakeBus.Script script) throws Exception {
    FakeBus bus = new FakeBus(socket(), script);
    open.add(bus);
    return bus;
  }

  private Path socket() {
    return user.equals("0")
        ? top.resolve("run/dbus/system_bus_socket")
        : top.resolve("run/user").resolve(user).resolve("bus");
  }

  private SystemdScopes scopes(Duration patience) {
    return new SystemdScopes(Instance.of(top, null), patience, patience);
  }

  private HoldfastException failure(Duration patience) {
    return catchThrowableOfType(HoldfastException.class, () -> scopes(patience).create("a", PID));
  }

  private static Map<String, String> properties(Object list) {
    Map<String, String> properties = new TreeMap<>();
    for (Object each : (List<?>) list) {
      Object[] pair = (Object[]) each;
      Object value = ((Variant<?>) pair[1]).getValue();
      properties.put(
          String.valueOf(pair[0]), pair[0].equals("PIDs") ? numbers(value) : String.valueOf(value));
    }
    return properties;
  }

  private static String numbers(Object value) {
    return value instanceof Object[] array ? List.of(array).toString() : String.valueOf(value);
  }

  private static Object uid() {
    try {
      return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }
}
