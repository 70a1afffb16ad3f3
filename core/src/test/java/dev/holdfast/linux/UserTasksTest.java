package dev.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder poses as /proc. */
class UserTasksTest {
  private static final String FIRST_NAMESPACE = "         0          0 4294967295\n";
  private static final String ANOTHER = "         0       1000          1\n";
  private static final String NONE = "0000000000000000";

  @TempDir Path proc;

  @Test
  void tasksAreCountedByTheRealUser() throws Exception {
    process("1", 0, 3, NONE);
    process("20", 1000, 5, NONE);
    process("300", 1000, 1, NONE);
    process("301", 1000, 7, NONE);
    Files.createDirectory(proc.resolve("4000")); // has just ended
    Files.createDirectory(proc.resolve("irq"));
    UserTasks tasks = new UserTasks(proc);

    assertThat(tasks.count(1000, Set.of())).isEqualTo(13);
    assertThat(tasks.count(1000, List.of(300, 301))).isEqualTo(5);
    assertThat(tasks.count(0, Set.of())).isEqualTo(3);
    assertThat(tasks.count(7, Set.of())).isZero();
  }

  @Test
  void rootIsNotLimitedOrdinaryUsersAre() throws Exception {
    UserTasks root = self(0, NONE, FIRST_NAMESPACE);
    assertThat(root.ownUser()).isZero();
    assertThat(root.areLimited(0)).isFalse();
    assertThat(root.areLimited(1000)).isTrue();
  }

  /** Nobody in a user namespace of ours has a capability that lifts it, but root is who he was. */
  @Test
  void inANamespaceOfOursRootOfTheFirstOneIsNotLimited() throws Exception {
    assertThat(self(0, NONE, FIRST_NAMESPACE).areLimitedInOwnNamespace()).isFalse();
    assertThat(self(1000, "0000000001000000", FIRST_NAMESPACE).areLimitedInOwnNamespace()).isTrue();
    assertThat(self(0, NONE, ANOTHER).areLimitedInOwnNamespace()).isTrue();
  }

  @Test
  void anAmbientCapabilityLiftsIt() throws Exception {
    assertThat(self(1000, "0000000001000000", FIRST_NAMESPACE).areLimited(1000)).isFalse();
    assertThat(self(1000, "0000000000200000", FIRST_NAMESPACE).areLimited(1000)).isFalse();
    assertThat(self(1000, "0000000000000400", FIRST_NAMESPACE).areLimited(1000)).isTrue();
    assertThat(self(1000, "0000000001000000", FIRST_NAMESPACE).areLimited(1001)).isTrue();
  }

  @Test
  void inAnotherUserNamespaceEverybodyIsLimited() throws Exception {
    assertThat(self(0, "000001ffffffffff", ANOTHER).areLimited(0)).isTrue();
  }

  @Test
  void theNameOfAProgramIsNoField() throws Exception {
    process("self", 1000, 1, NONE);
    assertThat(new UserTasks(proc).ownUser()).isEqualTo(1000);
    Files.writeString(proc.resolve("self/status"), "Name:\tUid:\t0\n");
    assertThatThrownBy(() -> new UserTasks(proc).ownUser())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Uid:");
  }

  private UserTasks self(int user, String ambient, String map) throws Exception {
    process("self", user, 1, ambient);
    Files.writeString(proc.resolve("self/uid_map"), map);
    return new UserTasks(proc);
  }

  private void process(String name, int user, int threads, String ambient) throws Exception {
    Path directory = Files.createDirectories(proc.resolve(name));
    Files.writeString(
        directory.resolve("status"),
        "Name:\tUid:\t9\nUmask:\t0022\nUid:\t%1$d\t0\t0\t0\nThreads:\t%2$d\nCapAmb:\t%3$s\n"
            .formatted(user, threads, ambient));
  }
}
