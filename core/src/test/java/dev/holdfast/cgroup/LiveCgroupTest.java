package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.linux.Directory;
import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.WallTime;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A group of the subtree that is ours here, and processes in it. */
@EveryKernel
@Timeout(120)
class LiveCgroupTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private final List<Process> started = new ArrayList<>();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    group = LivePlaces.make();
  }

  @AfterEach
  void clean() throws Exception {
    group.close();
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
    for (Path directory : directories(group)) {
      assertThat(directory).doesNotExist();
    }
  }

  static List<Path> directories(Cgroup group) {
    List<Path> all = new ArrayList<>(group.v1Directories());
    group.unifiedDirectory().ifPresent(all::add);
    return all;
  }

  /** Starts a shell that waits, joins it, lets it go on. */
  Process run(Cgroup in, String script) throws IOException {
    Process process =
        new ProcessBuilder("sh", "-c", "read go; " + script)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    started.add(process);
    in.attach(process.pid());
    OutputStream input = process.getOutputStream();
    input.write("go\n".getBytes(StandardCharsets.UTF_8));
    input.flush();
    return process;
  }

  void awaitMembers(int count) {
    await().atMost(LIMIT).until(() -> group.memberCount() == count);
  }

  void awaitProgram(String name) {
    await()
        .atMost(LIMIT)
        .until(() -> {
          for (long pid : group.members()) {
            if (Files.readString(Path.of("/proc/" + pid + "/comm")).strip().equals(name)) {
              return true;
            }
          }
          return false;
        });
  }

  void awaitRejectedFork() {
    await().atMost(LIMIT).until(() -> group.usage().pids().rejected().getAsLong() > 0);
  }

  @Test
  void hasADirectoryInEachHierarchy() throws Exception {
    assertThat(directories(group)).isNotEmpty().allMatch(Files::isDirectory);
    assertThat(group.paths().values()).allMatch(path -> path.endsWith("/" + group.name()));
    assertThat(group.isPopulated()).isFalse();
    assertThat(group.members()).isEmpty();
    if (group.unifiedDirectory().isEmpty()) {
      assertThat(group.v1Directories().getFirst()).isEqualTo(group.directory("freezer").get());
      assertThat(group.directory("cpuacct")).isPresent();
    }
    group.remove();
    group.remove();
    assertThat(group.isPopulated()).isFalse();
    assertThat(group.awaitEmpty(LIMIT)).isTrue();
    group.kill(LIMIT);
    assertThatThrownBy(() -> group.usage())
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("the group is removed");
  }

  @Test
  void isMadeEverywhereOrNowhere() throws Exception {
    // The one that is made last.
    Path last =
        group.v1Directories().isEmpty()
            ? group.unifiedDirectory().get()
            : group.v1Directories().getLast();
    List<Path> all = directories(group);
    group.remove();
    Files.createDirectory(last);
    try {
      assertThatThrownBy(() -> Cgroup.create(LivePlaces.find(), group.name(), Map.of()))
          .isInstanceOf(HoldfastException.class)
          .hasMessageContaining("EEXIST");
      all.remove(last);
      assertThat(all).noneMatch(Files::exists);
    } finally {
      Files.delete(last);
    }
  }

  @Test
  void aPlainDirectoryIsNoGroup(@TempDir Path temp) {
    Hierarchy hierarchy = new Hierarchy(true, temp, "/", Set.of(), "/", Optional.of(temp));
    assertThatThrownBy(
            () -> Cgroup.create(List.of(Place.of(hierarchy, temp, true, true)), "job", Map.of()))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("plain directory");
    assertThat(temp).isEmptyDirectory();
  }

  @Test
  void killsAllMembers() throws Exception {
    run(group, "sleep 1000 & sleep 1000 & sleep 1000 & wait");
    awaitMembers(4);
    assertThat(group.isPopulated()).isTrue();
    assertThat(group.awaitEmpty(Duration.ofMillis(50))).isFalse();
    group.kill(LIMIT);
    assertThat(group.isPopulated()).isFalse();
    assertThat(group.awaitEmpty(Duration.ZERO)).isTrue();
    // It stays usable.
    Process again = run(group, "exec sleep 1000");
    awaitMembers(1);
    assertThat(again.isAlive()).isTrue();
  }

  @Test
  void endsWhenTheLastMemberEnds() throws Exception {
    run(group, "sleep 0.3");
    long begin = System.nanoTime();
    assertThat(group.awaitEmpty(LIMIT)).isTrue();
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void aKillIsNotStoppedByAnInterrupt() throws Exception {
    run(group, "sleep 1000 & wait");
    awaitMembers(2);
    Thread.currentThread().interrupt();
    group.kill(LIMIT);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(group.isPopulated()).isFalse();
  }

  @Test
  @Needs(Feature.PIDS)
  void aForkBombInsideALimitIsKilled() throws Exception {
    group.apply(Limits.builder().pids(30).build(), false);
    run(group, "bomb() { bomb | bomb & }; bomb; sleep 1000");
    awaitRejectedFork();
    group.kill(LIMIT);
    assertThat(group.memberCount()).isZero();
  }

  @Test
  @Needs(Feature.PIDS)
  void theFallbackKillsAForkBombToo() throws Exception {
    group.apply(Limits.builder().pids(30).build(), false);
    run(group, "bomb() { bomb | bomb & }; bomb; sleep 1000");
    awaitRejectedFork();
    assertThat(group.ending().sweep(System.nanoTime() + LIMIT.toNanos())).isTrue();
    assertThat(group.memberCount()).isZero();
    assertThat(group.isFrozen()).isFalse();
  }

  @Test
  void freezesAndThaws() throws Exception {
    run(group, "while :; do :; done");
    awaitMembers(1);
    assertThat(group.isFrozen()).isFalse();
    group.freeze();
    assertThat(group.isFrozen()).isTrue();
    Duration before = group.usage().cpu().total().get();
    WallTime.pass(Duration.ofMillis(200));
    assertThat(group.usage().cpu().total().get().minus(before)).isLessThan(Duration.ofMillis(20));
    group.thaw();
    assertThat(group.isFrozen()).isFalse();
    await()
        .atMost(LIMIT)
        .until(() -> group.usage().cpu().total().get().minus(before).toMillis() > 20);
  }

  @Test
  void aFrozenGroupIsKilledAndUsableAfterwards() throws Exception {
    run(group, "sleep 1000 & wait");
    awaitMembers(2);
    group.freeze();
    group.kill(LIMIT);
    assertThat(group.isFrozen()).isFalse();
    assertThat(group.isPopulated()).isFalse();
  }

  @Test
  void aFrozenGroupShowsInTheOneInside() throws Exception {
    Cgroup inner = group.create("inner");
    Process process = run(inner, "exec sleep 1000");
    group.freeze();
    assertThat(inner.isFrozen()).isTrue();
    group.thaw();
    assertThat(inner.isFrozen()).isFalse();
    assertThat(group.members()).containsExactly(process.pid());
    inner.close();
  }

  @Test
  void signalsAll() throws Exception {
    Process process = run(group, "trap 'exit 7' USR1; sleep 1000 & wait");
    awaitMembers(2);
    awaitProgram("sleep"); // until its exec the shell's trap would catch the signal there too
    group.signal(10);
    assertThat(process.waitFor()).isEqualTo(7);
    assertThat(group.awaitEmpty(LIMIT)).isTrue();
    group.signal(10);
  }

  @Test
  void signalKillReachesAll() throws Exception {
    run(group, "sleep 1000 & sleep 1000 & wait");
    awaitMembers(3);
    group.signal(9);
    assertThat(group.awaitEmpty(LIMIT)).isTrue();
  }

  @Test
  void removesWhatMembersMade() throws Exception {
    StringBuilder script = new StringBuilder();
    for (Path directory : directories(group)) {
      script.append("mkdir -p " + directory + "/a/b " + directory + "/c; ");
      script.append("chmod 0 " + directory + "/a; ");
      // A name that is no text in any locale.
      script.append("mkdir -p " + directory + "/$(printf 'o\\303\\274\\351')/b; ");
    }
    Path members = group.unifiedDirectory().orElseGet(() -> group.v1Directories().getFirst());
    script.append("echo 0 > " + members + "/a/b/cgroup.procs; sleep 1000 & wait");
    run(group, script.toString());
    awaitMembers(2);
    group.kill(LIMIT);
    group.remove();
    assertThat(directories(group)).noneMatch(Files::exists);
  }

  @Test
  void refusesToRemoveMembers() throws Exception {
    run(group, "exec sleep 1000");
    awaitMembers(1);
    assertThatThrownBy(group::remove)
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("EBUSY");
    assertThat(group.memberCount()).isOne();
  }

  @Test
  @Needs(Feature.CGROUP_V1)
  void aProcessThatCannotJoinEverywhereIsMovedBack() throws Exception {
    // Joining goes through v2 first.
    Path last = group.v1Directories().getLast();
    Files.delete(last);
    Process process = new ProcessBuilder("sleep", "1000").start();
    started.add(process);
    List<String> before = Files.readAllLines(Path.of("/proc/" + process.pid() + "/cgroup"));
    assertThatThrownBy(() -> group.attach(process.pid())).isInstanceOf(HoldfastException.class);
    assertThat(Files.readAllLines(Path.of("/proc/" + process.pid() + "/cgroup"))).isEqualTo(before);
    process.destroyForcibly().waitFor();
    group.attach(process.pid()); // ended: nothing to do
  }

  @Test
  @Needs(Feature.CGROUP_V2)
  void readsThreadedGroups() throws Exception {
    Path inner = Files.createDirectory(group.unifiedDirectory().get().resolve("threads"));
    Files.writeString(inner.resolve("cgroup.type"), "threaded");
    Process process = run(group, "exec sleep 1000");
    awaitMembers(1);
    Files.writeString(inner.resolve("cgroup.threads"), Long.toString(process.pid()));
    assertThat(group.members()).containsExactly(process.pid());
    try (Directory threaded = Directory.open(inner)) {
      assertThat(Members.of(threaded).pids()).containsExactly(process.pid());
    }
    group.kill(LIMIT);
    assertThat(group.members()).isEmpty();
  }

  @Test
  void manyThreadsUseAndRemoveIt() throws Exception {
    run(group, "sleep 1000 & wait");
    List<Thread> threads = new ArrayList<>();
    AtomicInteger turns = new AtomicInteger();
    List<Throwable> odd = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 8; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  while (true) {
                    turns.incrementAndGet();
                    group.usage();
                    group.members();
                    group.isPopulated();
                  }
                } catch (HoldfastException removed) {
                  if (!removed.getMessage().contains("the group is removed")) {
                    odd.add(removed);
                  }
                } catch (Throwable other) {
                  odd.add(other);
                }
              }));
    }
    await("all of them at it").atMost(LIMIT).until(() -> turns.get() > 100);
    group.close();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(odd).isEmpty();
  }
}
