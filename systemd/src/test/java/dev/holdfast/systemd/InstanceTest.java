package dev.holdfast.systemd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.Feature;
import dev.holdfast.testing.HostOnly;
import dev.holdfast.testing.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which systemd serves whom, on folders that pose as machines. */
@HostOnly
@Needs(Feature.ROOT)
class InstanceTest {
  @TempDir Path top;

  @BeforeEach
  void makeMachine() throws Exception {
    Files.createDirectories(top.resolve("run/systemd/system"));
    Files.createDirectories(top.resolve("proc/self"));
    make("proc/1/comm");
    Files.writeString(top.resolve("proc/1/comm"), "systemd\n");
  }

  @Test
  void rootHasTheSystems() throws Exception {
    make("run/dbus/system_bus_socket");
    make("run/systemd/private");
    Instance instance = Instance.of(top, top + "/run/user/0");
    assertThat(instance.isSystem()).isTrue();
    assertThat(instance.obstacle()).isEmpty();
    assertThat(instance.buses())
        .containsExactly(
            new Bus(top.resolve("run/dbus/system_bus_socket"), false),
            new Bus(top.resolve("run/systemd/private"), true));
    assertThat(instance.whom()).isEqualTo("systemd");
  }

  @Test
  void aUserHasHisOwn() throws Exception {
    become(1000);
    make("run/user/1000/systemd/private");
    make("run/dbus/system_bus_socket");
    Instance instance = Instance.of(top, null);
    assertThat(instance.isSystem()).isFalse();
    assertThat(instance.buses())
        .containsExactly(new Bus(top.resolve("run/user/1000/systemd/private"), true));
    assertThat(instance.whom()).isEqualTo("the user's systemd");
  }

  @Test
  void theRuntimeDirectoryCountsIfItIsTheUsers() throws Exception {
    become(1000);
    make("elsewhere/bus");
    Path elsewhere = top.resolve("elsewhere");
    assertThat(Instance.of(top, elsewhere.toString()).obstacle()).isPresent();
    Files.setAttribute(elsewhere, "unix:uid", 1000);
    assertThat(Instance.of(top, elsewhere.toString()).buses())
        .containsExactly(new Bus(elsewhere.resolve("bus"), false));
    assertThat(Instance.of(top, "elsewhere").obstacle()).isPresent();
    assertThat(Instance.of(top, "").obstacle()).isPresent();
  }

  @Test
  void whoeverHasNoneIsToldHowToGetOne() throws Exception {
    become(65534);
    make("run/dbus/system_bus_socket");
    Instance instance = Instance.of(top, null);
    assertThat(instance.obstacle().orElseThrow().reason())
        .contains("no systemd runs for this user", "/run/user/65534/bus");
    assertThat(instance.obstacle().orElseThrow().remedy()).contains("loginctl enable-linger 65534");
    become(0);
    Files.delete(top.resolve("run/dbus/system_bus_socket"));
    assertThat(Instance.of(top, null).obstacle().orElseThrow().reason())
        .contains("system_bus_socket");
  }

  @Test
  void whereItDoesNotRunNobodyIsAsked() throws Exception {
    make("run/dbus/system_bus_socket");
    Files.delete(top.resolve("run/systemd/system"));
    assertThat(Instance.of(top, null).obstacle().orElseThrow().reason())
        .isEqualTo("systemd does not run here");
  }

  @Test
  void anotherFirstProcessMeansAnotherPidNamespace() throws Exception {
    make("run/dbus/system_bus_socket");
    Files.writeString(top.resolve("proc/1/comm"), "sh\n");
    assertThat(Instance.of(top, null).obstacle().orElseThrow().reason())
        .contains("the first process here is sh");
    // Hidden from us (hidepid=): the daemon's answer tells.
    Files.delete(top.resolve("proc/1/comm"));
    assertThat(Instance.of(top, null).obstacle()).isEmpty();
  }

  private void become(int user) throws Exception {
    Files.setAttribute(top.resolve("proc/self"), "unix:uid", user);
  }

  private void make(String path) throws Exception {
    Files.createDirectories(top.resolve(path).getParent());
    Files.createFile(top.resolve(path));
  }
}
