package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Damaged texts give an error or places that are right, nothing else. */
class CgroupHostFuzzTest {
  private static final int ROUNDS = 100_000;

  @Test
  void damagedTexts() {
    Damage damage = new Damage(getClass());
    List<Machines.Texts> texts = new ArrayList<>(Machines.all().values());
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      Machines.Texts whole = damage.any(texts);
      int which = damage.random.nextInt(3);
      Machines.Texts damaged =
          new Machines.Texts(
              which == 0 ? whole.mounts() : damage.of(whole.mounts()),
              which == 1 ? whole.groups() : damage.of(whole.groups()));
      try {
        CgroupHost host = damaged.host();
        read++;
        for (Hierarchy hierarchy : host.hierarchies()) {
          if (hierarchy.own().isPresent()) {
            Path own = hierarchy.own().get();
            if (!own.isAbsolute()
                || !own.startsWith(hierarchy.mount())
                || !own.normalize().equals(own)
                || !hierarchy.pathOf(own).equals(hierarchy.ownPath())) {
              throw new AssertionError(hierarchy.toString());
            }
          }
        }
      } catch (HoldfastException expected) {
        String message = expected.getMessage();
        if (message == null
            || message.contains("\n")
            || !(message.contains("mountinfo") || message.contains("cgroup"))) {
          throw damage.error(round, damaged.mounts() + damaged.groups(), expected);
        }
      } catch (RuntimeException | Error wrong) {
        throw damage.error(round, damaged.mounts() + damaged.groups(), wrong);
      }
    }
    // Some damage does no harm, most does: otherwise this test sees nothing.
    assertThat(read).isBetween(ROUNDS / 100, ROUNDS * 99 / 100);
  }
}
