package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testing.EveryKernel;
import dev.holdfast.testing.Feature;
import dev.holdfast.testing.Jvm;
import dev.holdfast.testing.Marked;
import dev.holdfast.testing.Needs;
import dev.holdfast.testing.Removal;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever has been released lives on, even where nobody can tell whether there is somebody. */
@EveryKernel
@Needs(Feature.ROOT)
@Timeout(120)
class ReleasedJobTest {
  private static final String DESCRIPTORS = "200";

  private final Marked mark = Marked.fresh();

  @AfterEach
  void end() {
    mark.end();
  }

  @Test
  void survivorsOutliveACloseThatCannotCountThem() throws Exception {
    Process jvm = Jvm.start(List.of("-XX:-MaxFDLimit"), Closer.class, mark.text());
    try {
      Path directory = Path.of(Jvm.line(jvm));
      String limit = "--nofile=" + DESCRIPTORS + ":" + DESCRIPTORS;
      assertThat(new ProcessBuilder("prlimit", "--pid", "" + jvm.pid(), limit).start().waitFor())
          .isZero();
      jvm.outputWriter().write("go\n");
      jvm.outputWriter().flush();

      assertThat(Jvm.line(jvm)).isEqualTo("closed");
      assertThat(jvm.waitFor()).isZero();

      assertThat(mark.alive()).as("the survivor").hasSize(1);
      assertThat(Groups.membersOf(directory)).isEqualTo(mark.alive());
      mark.end();
      mark.await(0);
      Removal.await(List.of(directory));
    } finally {
      jvm.destroyForcibly();
    }
  }

  /** Releases a job, uses up its descriptors and closes the job. */
  static final class Closer {
    private Closer() {}

    public static void main(String[] arguments) throws Exception {
      // Without descriptors no class could be loaded any more.
      Jvm.loadAll(Job.class);
      Job job = Job.open();
      Child child = job.start(Trees.stubborn(new Marked(arguments[0])).stdout(Output.pipe()));
      byte[] ready = child.stdout().readNBytes("ready\n".length());
      if (!new String(ready, StandardCharsets.US_ASCII).equals("ready\n")) {
        throw new AssertionError();
      }
      job.stop(Signal.TERM, Duration.ofMillis(10), false);
      System.out.println(Groups.directoriesOf(job).getFirst());
      System.in.read();
      List<FileInputStream> open = new ArrayList<>();
      try {
        while (true) {
          open.add(new FileInputStream("/dev/null"));
        }
      } catch (IOException noMore) {
        // as wanted
      }
      job.close();
      System.out.println("closed");
      for (FileInputStream file : open) {
        file.close();
      }
    }
  }
}
