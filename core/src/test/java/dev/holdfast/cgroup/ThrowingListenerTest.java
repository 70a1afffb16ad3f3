package dev.holdfast.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A listener that throws is told of what comes next all the same, and so is everybody else. */
@EveryKernel
@Timeout(120)
class ThrowingListenerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<Throwable> uncaught = new CopyOnWriteArrayList<>();
  private Thread.UncaughtExceptionHandler before;
  @RegisterExtension final LiveGroups groups = new LiveGroups();
  private Cgroup group;

  @BeforeEach
  void make() throws IOException {
    before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> uncaught.add(failure));
    group = groups.make();
  }

  @AfterEach
  void restore() {
    Thread.setDefaultUncaughtExceptionHandler(before);
  }

  private static ConditionFactory waiting() {
    return await().dontCatchUncaughtExceptions().atMost(PATIENCE);
  }

  private static RuntimeException mistake() {
    return new IllegalStateException("a listener's mistake");
  }

  @Test
  @Needs(Feature.CGROUP_V2)
  void ofEvents() throws Exception {
    List<CgroupEvent.Kind> seen = new CopyOnWriteArrayList<>();
    try (AutoCloseable watch =
        group.listen(event -> {
          seen.add(event.kind());
          throw mistake();
        })) {
      groups.run(group, "sleep 1000");
      waiting().until(() -> seen.contains(CgroupEvent.Kind.POPULATED));
      group.kill(PATIENCE);
      waiting().until(() -> seen.contains(CgroupEvent.Kind.EMPTY));
    }
    waiting().until(() -> uncaught.size() >= 2);
    assertThat(uncaught).allMatch(failure -> failure instanceof IllegalStateException);
  }

  @Test
  @Needs(Feature.MEMORY)
  void ofOutOfMemoryKills() throws Exception {
    group.apply(Limits.builder().memory("24M").oomGroup(false).build(), false);
    AtomicInteger told = new AtomicInteger();
    try (AutoCloseable watch =
        group.watchOom(() -> {
          told.incrementAndGet();
          throw mistake();
        })) {
      for (int kill = 1; kill <= 2; kill++) {
        int before = told.get();
        groups.run(group, "head -c 100m /dev/zero | tail -c 100m");
        waiting().until(() -> told.get() > before);
        group.kill(PATIENCE);
      }
    }
  }

  @Test
  @Needs({Feature.PSI, Feature.CGROUP_V2})
  void ofPressure() throws Exception {
    assumeTrue(
        Files.exists(group.unifiedDirectory().get().resolve("cpu.pressure")),
        "no group has PSI here");
    group.apply(Limits.builder().cpus(0.1).build(), false);
    AtomicInteger told = new AtomicInteger();
    try (AutoCloseable watch =
        group.onPressure(
            PressureKind.CPU,
            /* full= */ false,
            Duration.ofMillis(20),
            Duration.ofSeconds(2),
            () -> {
              told.incrementAndGet();
              throw mistake();
            })) {
      groups.run(group, "(while :; do :; done) & while :; do :; done");
      waiting().until(() -> told.get() >= 2);
    }
  }
}
