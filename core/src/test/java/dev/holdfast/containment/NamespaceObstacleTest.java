package dev.holdfast.containment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cgroup.Absence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each switch that forbids namespaces is named, with its remedy; a folder poses as /proc. */
class NamespaceObstacleTest {
  private static final String NOTHING = "Name:\tjava\nCapEff:\t0000000000000000\n";
  private static final String EVERYTHING = "Name:\tjava\nCapEff:\t000001ffffffffff\n";

  @TempDir Path proc;

  @BeforeEach
  void anOrdinaryMachine() throws Exception {
    put("self/ns/pid", "");
    put("self/ns/user", "");
    put("self/status", NOTHING);
    put("self/attr/current", "unconfined\n");
    for (String kind : new String[] {"pid", "mnt", "user"}) {
      put("sys/user/max_" + kind + "_namespaces", "96365\n");
    }
  }

  @Test
  void anOrdinaryMachineHasNone() throws Exception {
    assertThat(look()).isEmpty();
    put("sys/kernel/unprivileged_userns_clone", "1\n");
    put("sys/kernel/apparmor_restrict_unprivileged_userns", "0\n");
    assertThat(look()).isEmpty();
  }

  @Test
  void eachSwitchIsNamedWithItsRemedy() throws Exception {
    for (String file :
        new String[] {
          "sys/user/max_user_namespaces",
          "sys/user/max_pid_namespaces",
          "sys/user/max_mnt_namespaces",
          "sys/kernel/unprivileged_userns_clone"
        }) {
      put(file, "0\n");
      String name = file.substring(4).replace('/', '.');
      assertThat(look().orElseThrow().reason()).isEqualTo(name + " is 0");
      assertThat(look().orElseThrow().remedy()).contains(name);
      put(file, "1\n");
    }
    put("sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    assertThat(look().orElseThrow().remedy())
        .contains("kernel.apparmor_restrict_unprivileged_userns=0");
    // A profile of its own may allow it.
    put("self/attr/current", "java (enforce)\n");
    assertThat(look()).isEmpty();
  }

  @Test
  void thePrivilegedNeedNoUserNamespace() throws Exception {
    put("self/status", EVERYTHING);
    put("sys/user/max_user_namespaces", "0\n");
    put("sys/kernel/unprivileged_userns_clone", "0\n");
    assertThat(look()).isEmpty();
    put("sys/user/max_pid_namespaces", "0\n");
    assertThat(look().orElseThrow().reason()).isEqualTo("user.max_pid_namespaces is 0");
  }

  @Test
  void aKernelWithoutPidNamespacesIsNamed() throws Exception {
    Files.delete(proc.resolve("self/ns/pid"));
    assertThat(look().orElseThrow().remedy()).contains("CONFIG_PID_NS");
  }

  private Optional<Absence> look() {
    return new NamespaceObstacle(proc).look();
  }

  private void put(String file, String text) throws Exception {
    Path path = proc.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
