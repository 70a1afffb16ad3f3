package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.ClassPath;
import dev.holdfast.testing.Jvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A child begins in our own working directory, as ProcessBuilder has it, whatever became of that.
 */
@Timeout(120)
class OwnDirectoryTest {
  @TempDir Path folder;

  @Test
  void aRemovedOneIsInherited() throws Exception {
    Path directory = Files.createDirectory(folder.resolve("removed"));
    Process jvm =
        Jvm.behind(
            List.of("sh", "-c", "cd \"$0\" && exec \"$@\"", directory.toString()),
            ClassPath.own(),
            Starts.class,
            directory.toString());
    List<String> lines = jvm.inputReader().lines().toList();
    assertThat(jvm.waitFor()).isZero();
    assertThat(directory).doesNotExist();
    List<String> expected = new ArrayList<>();
    for (MechanismChoice mechanism : Mechanisms.here().keySet()) {
      expected.add(
          mechanism == MechanismChoice.PID_NAMESPACE
              ? "PID_NAMESPACE changing to the directory: ENOENT"
              : mechanism + " started in it");
    }
    assertThat(lines).containsExactlyElementsOf(expected);
  }

  /** A start under each mechanism, after its own directory was removed. */
  public static final class Starts {
    private Starts() {}

    public static void main(String[] arguments) throws Exception {
      Path own = Path.of(arguments[0]);
      Files.delete(own);
      for (MechanismChoice mechanism : Mechanisms.here().keySet()) {
        try (Job job = Job.builder().mechanism(mechanism).open()) {
          Child child = job.start(Command.of("readlink", "/proc/self/cwd").stdout(Output.pipe()));
          String there = new String(child.stdout().readAllBytes()).strip();
          child.waitFor();
          System.out.println(
              mechanism
                  + (there.equals(own + " (deleted)") ? " started in it" : " started in " + there));
        } catch (StartException refused) {
          System.out.println(
              mechanism + refused.getMessage().replaceAll(".*: (changing[^,]*),.*", " $1"));
        }
      }
    }
  }
}
