package dev.holdfast.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Processes that bear a mark in their command line, found in the kernel's process table and nowhere
 * else. As an extension of a test class (RegisterExtension) it sees to it that none is left after
 * each test.
 *
 * @param text the mark; pass it as an argument to whatever shall be found again
 */
public record Marked(String text) implements AfterEachCallback {
  public static Marked fresh() {
    return new Marked("mark-" + UUID.randomUUID());
  }

  /** Those that are alive: a zombie only waits for its parent. */
  public List<Long> alive() {
    List<Long> pids = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path entry : entries) {
        if (isAlive(entry)) {
          pids.add(Long.parseLong(entry.getFileName().toString()));
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return pids;
  }

  private boolean isAlive(Path entry) {
    try {
      // A zombie has no command line any more.
      return Files.readString(entry.resolve("cmdline"), StandardCharsets.ISO_8859_1).contains(text);
    } catch (IOException gone) {
      return false;
    }
  }

  /** Waits until there are so many. */
  public List<Long> await(int count) {
    Awaitility.await("processes marked " + text)
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> alive().size() == count);
    return alive();
  }

  /** Ends what is left, which there must not be. */
  @Override
  public void afterEach(ExtensionContext test) {
    List<Long> left = alive();
    end();
    assertThat(left).as("marked processes after the test").isEmpty();
  }

  /** Ends them; for positive controls. */
  public void end() {
    for (long pid : alive()) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
  }
}
